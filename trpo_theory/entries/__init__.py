"""What numbers come as: arrays of other libraries, what NumPy would misread, and the digits that rows were rounded to."""
