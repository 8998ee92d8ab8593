"""Models: additive tables that turn features into a churn probability; trained, hashed, signed."""
