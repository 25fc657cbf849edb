"""A simulated organisation that follows Microsoft's user model for Lync Server 2013; the same seed gives the same bytes."""
