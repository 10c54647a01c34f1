"""The glossary as code: what every other room speaks in."""
