"""The vault: what belongs to a person is sealed with the person's own key before it reaches a store."""
