"""`smspark-submit`, the program of AWS's Spark images, on Spark's own cluster manager in place of YARN."""
