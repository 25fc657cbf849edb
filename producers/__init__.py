"""The Lync side: simulated and recorded events, and the publisher that hands them to Kafka."""
