"""What users test their own pipelines with: a pytest plugin, and the stack and archives that it hands out."""
