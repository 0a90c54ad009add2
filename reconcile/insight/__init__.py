"""What files tell whoever looks: status, expectation, lag, back-tests, audits, and the dashboard's data."""
