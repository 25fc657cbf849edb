"""The local stack: a real Apache Kafka and a real mongod as plain processes, on any Linux with Python alone."""
