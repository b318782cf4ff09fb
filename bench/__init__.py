"""What Hemi is worth beside its peers, measured in one run on this machine: `make bench`."""
