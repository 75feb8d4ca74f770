"""What is it, from whom, about which ticket, so what do we do? Pure functions over values, no I/O."""
