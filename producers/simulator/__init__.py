"""A simulated organisation after Microsoft's user model for Lync Server 2013; the same seed gives the same bytes."""
