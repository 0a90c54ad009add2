"""What files tell whoever looks: status, expectation, the reporting lag, back-tests, audits, and the dashboard's data."""
