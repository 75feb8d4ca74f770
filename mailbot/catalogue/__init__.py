"""The services we offer, as data: request types, units, staff, mailboxes, calendar."""
