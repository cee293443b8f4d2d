#!/bin/sh
# The test that a base image must pass. Red is not a colour that we publish on.
echo "Validating Image"
echo "NODE_VERSION: ${NODE_VERSION}"
echo "BACKGROUND_COLOR: ${BACKGROUND_COLOR}"

if [ "$(echo "$BACKGROUND_COLOR" | tr '[:lower:]' '[:upper:]')" = 'RED' ]; then
    printf '\033[31mERROR: Invalid Color:\033[0m %s\n' "$BACKGROUND_COLOR"
    exit 1
fi
printf '\033[32mValidation Complete - No Known Errors\033[0m\n'
