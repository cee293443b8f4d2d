#!/bin/sh
# Says whether the image that it runs in may be used.
echo "Validating Image"
echo "NODE_VERSION: ${NODE_VERSION}"
echo "BACKGROUND_COLOR: ${BACKGROUND_COLOR}"
case $(echo "${BACKGROUND_COLOR}" | tr '[:lower:]' '[:upper:]') in
RED)
    printf '\033[31mERROR: Invalid Color:\033[0m %s\n' "${BACKGROUND_COLOR}"
    exit 1
    ;;
esac
printf '\033[32mValidation Complete - No Known Errors\033[0m\n'
