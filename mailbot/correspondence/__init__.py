"""Events become letters: view models (``context``), wording (``words``) and templates (``render``)."""
