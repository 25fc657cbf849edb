"""Does the archive hold what a recording says? A model of its own, which shares no code with the archiver's fold."""
