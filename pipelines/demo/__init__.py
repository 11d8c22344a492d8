"""The closed loop on one laptop: the flights of 2013, month by month."""
