"""How dates and times are written: by the day first and on a 24-hour clock."""
