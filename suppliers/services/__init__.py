"""What a person may ask of suppliers. Each service locks, checks, writes rows, says who; a module for each noun."""
