#!/usr/bin/env bash
# What the overview of ACR Tasks tells of, by somebody who may do nothing but use one
# registry: builds and runs of all kinds of sources, a task with each trigger, logs.
: >"$WALKLOG"

az() {
    command az "$@"
    noted $? az "$@"
}

person() {
    $PERSON "$@"
    noted $? person "$@"
}

noted() {
    local rc=$1
    shift
    printf 'rc=%d  %.150s\n' "$rc" "$*" >>"$WALKLOG"
    return "$rc"
}

registry=(--build-arg "REGISTRY=$REGISTRY.azurecr.cn")

# The service principal of a pipeline signs in.
az login --service-principal -u "$CI_ID" -p "$CI_SECRET" --tenant "$TENANT" -o none

# Quick tasks: docker build in the cloud, from wherever the source is. The image that
# the others are built on is one of Docker Hub.
az acr import -n "$REGISTRY" --source "$REGISTRY_DOCKERHUB_URL/node:15-alpine" -t node:15-alpine \
    -u "$REGISTRY_DOCKERHUB_USER" -p "$REGISTRY_DOCKERHUB_PASSWORD"
az acr build -r "$REGISTRY" -t base:1 "${registry[@]}" --build-arg VERSION=1 -f "$FOLDER/base.Dockerfile" "$FOLDER"
az acr build -r "$REGISTRY" -t app:folder "${registry[@]}" "$FOLDER"
az acr build -r "$REGISTRY" -t app:git "${registry[@]}" "$GIT"
az acr build -r "$REGISTRY" -t app:branch "${registry[@]}" "$GIT#main"
az acr build -r "$REGISTRY" -t app:part "${registry[@]}" "$GIT#main:sub"
az acr build -r "$REGISTRY" -t app:commit "${registry[@]}" "$GIT#$COMMIT:sub"
az acr build -r "$REGISTRY" -t app:tarball "${registry[@]}" "$TARBALL"
person artifact
artifact=oci://$REGISTRY.azurecr.cn/source:1
az acr build -r "$REGISTRY" -t app:artifact "${registry[@]}" "$artifact"

# Tasks of several steps, from the same places; and one of a single command.
for source in "$FOLDER" "$GIT" "$GIT#main" "$GIT#main:sub" "$GIT#$COMMIT" "$TARBALL" "$artifact"; do
    az acr run -r "$REGISTRY" -f acr-task.yaml "$source"
done
az acr run -r "$REGISTRY" --cmd "$REGISTRY.azurecr.cn/app:part" /dev/null

# It may do nothing else.
! command az acr build -r "$OTHER" --no-push "$FOLDER" || echo "NOT REFUSED"
! command az group create -n mine -l chinaeast2 || echo "NOT REFUSED"

# Tasks with a trigger each.
az acr task create -r "$REGISTRY" -n timer -f acr-task.yaml -c "$GIT_URL" --git-access-token "$GIT_TOKEN" \
    --commit-trigger-enabled false --base-image-trigger-enabled false --schedule 'often:* * * * *' -o none
az acr task create -r "$REGISTRY" -n commit -f acr-task.yaml -c "$GIT_URL" --git-access-token "$GIT_TOKEN" \
    --base-image-trigger-enabled false -o none
az acr task create -r "$REGISTRY" -n pull -f acr-task.yaml -c "$GIT_URL" --git-access-token "$GIT_TOKEN" \
    --commit-trigger-enabled false --pull-request-trigger-enabled true --base-image-trigger-enabled false -o none
az acr task create -r "$REGISTRY" -n image -f Dockerfile -t 'app:image-{{.Run.ID}}' "${registry[@]/--build-arg/--arg}" \
    -c "$GIT_URL" --git-access-token "$GIT_TOKEN" --commit-trigger-enabled false -o none
az acr task run -r "$REGISTRY" -n image
person commit
person pull
az acr build -r "$REGISTRY" -t base:1 "${registry[@]}" --build-arg VERSION=2 -f "$FOLDER/base.Dockerfile" "$FOLDER" --no-logs -o none
person image
person timer
az acr task timer remove -r "$REGISTRY" -n timer --timer-name often -o none
az acr task list-runs -r "$REGISTRY" -o table
for task in commit pull image timer; do
    az acr task logs -r "$REGISTRY" -n "$task"
done
! grep -v '^rc=0 ' "$WALKLOG"
