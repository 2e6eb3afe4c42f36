"""The announcements a caller hears, and the script that made them."""
