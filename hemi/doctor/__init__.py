"""What `manage.py doctor` looks at: every setting, key, service, store and supplier's server, each with its mend."""
