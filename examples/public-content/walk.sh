#!/usr/bin/env bash
# The whole walkthrough: three registries, a vault, an image of the public, a page
# that is built on it and deployed, and a gate between the two. Needs `az` on PATH,
# signed in (or drydock under that name).
#
# What a person does meanwhile is done by the program in PERSON, which is called
# with one word: look, orange, green, red or hello. NARRATE=1 tells what happens,
# KEEP=1 leaves all there in the end. In the file WALKLOG is a line "rc=N  COMMAND"
# for each command. The exit status is 0 if all of these are.

: "${WALKLOG:=walk.log}"
: >"$WALKLOG"

az() {
    [ -z "${NARRATE:-}" ] || [ "${BASH_SUBSHELL}" -gt 0 ] || shown "$@"
    command az "$@"
    noted $? az "$@"
}

person() {
    ${PERSON:-true} "$@"
    noted $? person "$@"
}

noted() {
    local rc=$1 line
    shift
    line=${*//$'\n'/ }
    printf 'rc=%d  %.150s\n' "$rc" "$line" >>"$WALKLOG"
    return "$rc"
}

# shown prints a command, without what is secret in it.
shown() {
    local arg before=
    printf '$ az'
    for arg; do
        case $before in
        --value | --git-access-token) arg='…' ;;
        esac
        printf ' %s' "$arg"
        before=$arg
    done
    echo
}

title() { [ -z "${NARRATE:-}" ] || printf '\n== %s\n' "$*"; }

# quiet is what a command is given whose answer tells a reader nothing.
quiet=(${NARRATE:+-o none})

REGISTRY_PUBLIC=${REGISTRY_PUBLIC:-publicregistry}
REGISTRY_BASE_ARTIFACTS=${REGISTRY_BASE_ARTIFACTS:-contosobaseartifacts}
REGISTRY=${REGISTRY:-contoso}
LOCATION=${RESOURCE_GROUP_LOCATION:-chinaeast2}
AKV=${AKV:-acr-task-credentials}
ACI=${ACI:-hello-world-aci}
registries=${ACR_SUFFIX:-azurecr.cn}
secrets=https://$AKV.${VAULT_SUFFIX:-vault.azure.cn}/secrets
: "${REGISTRY_DOCKERHUB_URL:=docker.io}"
: "${REGISTRY_DOCKERHUB_USER:?}" "${REGISTRY_DOCKERHUB_PASSWORD:?}" "${GIT_TOKEN:?}"
: "${GIT_BASE_IMAGE_NODE:?}" "${GIT_NODE_IMPORT:?}" "${GIT_HELLO_WORLD:?}"

# registry NAME: in a group of its own, since what is in it is to last.
registry() {
    az group create --name "$1-rg" --location "$LOCATION" "${quiet[@]}"
    az acr create --resource-group "$1-rg" --name "$1" --sku Premium "${quiet[@]}"
}

secret() { az keyvault secret set --vault-name "$AKV" --name "$1" --value "$2" "${quiet[@]}"; }

git_token() { az keyvault secret show --vault-name "$AKV" --name github-token --query value -o tsv; }

# principal TASK REGISTRY: whom the task is
principal() { az acr task show --name "$1" --registry "$2" --query identity.principalId --output tsv; }

# task NAME REGISTRY REPOSITORY FLAG...: one that follows a repository, and has an
# identity
task() {
    local name=$1 registry=$2 context=$3
    shift 3
    az acr task create --name "$name" -r "$registry" -f acr-task.yaml --context "$context" \
        --git-access-token "$(git_token)" "$@" --assign-identity "${quiet[@]}"
}

# credential TASK REGISTRY HOST SECRET: the task signs in at a host with two
# secrets of the vault.
credential() {
    az acr task credential add -n "$1" -r "$2" --login-server "$3" \
        -u "$secrets/$4-user" -p "$secrets/$4-password" --use-identity '[system]' "${quiet[@]}"
}

# reads TASK REGISTRY: the task may read the vault.
reads() {
    az keyvault set-policy --name "$AKV" --resource-group "$AKV-rg" \
        --object-id "$(principal "$1" "$2")" --secret-permissions get "${quiet[@]}"
}

# token REGISTRY FLAG...: a token of a registry with some rights; its name and its
# password are in the vault.
token() {
    local registry=$1
    shift
    secret "registry-$registry-user" "registry-$registry-user"
    secret "registry-$registry-password" "$(az acr token create --name "registry-$registry-user" \
        --registry "$registry" "$@" -o tsv --query 'credentials.passwords[0].value')"
}

# watched REGISTRY: its runs, and the log of the last one
watched() {
    az acr task list-runs -r "$1" -o table
    az acr task logs -r "$1"
}

address() {
    az container show --resource-group "$ACI-rg" --name "$ACI" --query ipAddress.ip --out tsv
}

title 'Three registries: one that plays the public, one for what of it is fit for use, one of a team'
registry "$REGISTRY_PUBLIC"
registry "$REGISTRY_BASE_ARTIFACTS"
registry "$REGISTRY"

title 'A vault, with the credentials of Docker Hub and of the git host'
az group create --name "$AKV-rg" --location "$LOCATION" "${quiet[@]}"
az keyvault create --resource-group "$AKV-rg" --name "$AKV" "${quiet[@]}"
secret registry-dockerhub-user "$REGISTRY_DOCKERHUB_USER"
secret registry-dockerhub-password "$REGISTRY_DOCKERHUB_PASSWORD"
secret github-token "$GIT_TOKEN"
[ "$(git_token)" = "$GIT_TOKEN" ] || noted 1 'the vault has another token of the git host'
az group create --name "$ACI-rg" --location "$LOCATION" "${quiet[@]}"

title 'The public: a task that builds node from a git repository, on what Docker Hub has'
task node-public "$REGISTRY_PUBLIC" "$GIT_BASE_IMAGE_NODE" --set "REGISTRY_FROM_URL=$REGISTRY_DOCKERHUB_URL/"
credential node-public "$REGISTRY_PUBLIC" "$REGISTRY_DOCKERHUB_URL" registry-dockerhub
reads node-public "$REGISTRY_PUBLIC"
az acr task run -r "$REGISTRY_PUBLIC" -n node-public
az acr repository show-tags -n "$REGISTRY_PUBLIC" --repository node

title 'The team: a task that builds hello-world on that node, and deploys it'
token "$REGISTRY_PUBLIC" --scope-map _repositories_pull
token "$REGISTRY" --repository hello-world content/read
task hello-world "$REGISTRY" "$GIT_HELLO_WORLD" --set "REGISTRY_FROM_URL=$REGISTRY_PUBLIC.$registries/" \
    --set "KEYVAULT=$AKV" --set "ACI=$ACI" --set "ACI_RG=$ACI-rg"
credential hello-world "$REGISTRY" "$REGISTRY_PUBLIC.$registries" "registry-$REGISTRY_PUBLIC"
reads hello-world "$REGISTRY"
az role assignment create --assignee "$(principal hello-world "$REGISTRY")" \
    --scope "$(az group show -n "$ACI-rg" --query id -o tsv)" --role owner "${quiet[@]}"
az acr task run -r "$REGISTRY" -n hello-world
address
person look

title 'The public commits another colour. All else follows from that'
person orange
watched "$REGISTRY_PUBLIC"
watched "$REGISTRY"
address
person look

title 'Nobody has asked for that. A gate: a task that tests what the public has, and imports it if it is good'
task base-import-node "$REGISTRY_BASE_ARTIFACTS" "$GIT_NODE_IMPORT" --set "REGISTRY_FROM_URL=$REGISTRY_PUBLIC.$registries/"
credential base-import-node "$REGISTRY_BASE_ARTIFACTS" "$REGISTRY_PUBLIC.$registries" "registry-$REGISTRY_PUBLIC"
reads base-import-node "$REGISTRY_BASE_ARTIFACTS"
az acr task run -n base-import-node -r "$REGISTRY_BASE_ARTIFACTS"

title 'The team builds on what has passed the gate'
token "$REGISTRY_BASE_ARTIFACTS" --repository node content/read
credential hello-world "$REGISTRY" "$REGISTRY_BASE_ARTIFACTS.$registries" "registry-$REGISTRY_BASE_ARTIFACTS"
az acr task update -n hello-world -r "$REGISTRY" --set "REGISTRY_FROM_URL=$REGISTRY_BASE_ARTIFACTS.$registries/" \
    --set "KEYVAULT=$AKV" --set "ACI=$ACI" --set "ACI_RG=$ACI-rg" "${quiet[@]}"
az acr task run -r "$REGISTRY" -n hello-world

title 'The public commits Green, which is good'
person green
watched "$REGISTRY_PUBLIC"
watched "$REGISTRY_BASE_ARTIFACTS"
watched "$REGISTRY"
address
person look

title 'The public commits Red, which the gate stops'
person red
watched "$REGISTRY_PUBLIC"
watched "$REGISTRY_BASE_ARTIFACTS"
person look

title 'The team changes its page, on the last node that has passed'
person hello
person look

if [ -z "${KEEP:-}" ]; then
    title 'All of it is deleted'
    for name in "$REGISTRY" "$REGISTRY_PUBLIC" "$REGISTRY_BASE_ARTIFACTS" "$AKV" "$ACI"; do
        az group delete -n "$name-rg" --no-wait -y
    done
fi
! grep -v '^rc=0 ' "$WALKLOG"
