"""The database: tables, stores and the unit of work that ties one mail's whole outcome into one commit."""
