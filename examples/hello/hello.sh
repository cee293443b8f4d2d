echo "hello from a container"
