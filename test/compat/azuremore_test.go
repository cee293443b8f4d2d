//go:build docker

package compat_test

// azureTools are what the scripts of azureAreas are written with.
const azureTools = `
is() { # WANT COMMAND...: the command succeeds, and prints WANT among other things
    local want=$1 got; shift
    got=$("$@") || { echo "exit status $?: $*" >&2; exit 1; }
    got=$(tr '\r\n\t' '   ' <<<"$got")
    [[ " $got" == *"$want"* ]] || { echo "no \"$want\" in \"$got\": $*" >&2; exit 1; }
}
isnt() { # WANT COMMAND...: the command fails, and says WANT
    local want=$1 got; shift
    if got=$("$@" 2>&1); then echo "succeeds: $*" >&2; exit 1; fi
    [[ $got == *"$want"* ]] || { echo "no \"$want\" in \"$got\": $*" >&2; exit 1; }
}
az group create -n $NAME -l eastus -o none
GROUP=$(az group show -n $NAME --query id -o tsv)
`

// azureAreas is what is done with the stock Azure CLI beside azureWork, by somebody
// who has signed in; all at the same time.
var azureAreas = map[string]string{
	"people": `
WHO=$NAME@drydock.test
is Alice az ad user create --display-name Alice --user-principal-name $WHO --password "correct horse" --query displayName -o tsv
is $WHO az ad user list --query "[].userPrincipalName" -o tsv
is Alice az ad user show --id $WHO --query displayName -o tsv
is User az role assignment create --assignee $WHO --role Reader --scope $GROUP --query principalType -o tsv
is "$WHO Reader" az role assignment list --scope $GROUP --query "[].[principalName, roleDefinitionName]" -o tsv

az ad sp create-for-rbac -n $NAME-robot --role Reader --scopes $GROUP --query "[appId, password]" -o tsv >first
{ read -r ROBOT; read -r FIRST; } <first
is $NAME-robot az ad sp show --id $ROBOT --query displayName -o tsv
SECOND=$(az ad sp credential reset --id $ROBOT --query password -o tsv)
TENANT=$(az account show --query tenantId -o tsv)

export ADMIN=$HOME/.azure AZURE_CONFIG_DIR=$HOME/.azure-other
az cloud set -n AzureChinaCloud
isnt AADSTS50126 az login -u $WHO -p wrong
is "$WHO user" az login -u $WHO -p "correct horse" --query "[].[user.name, user.type]" -o tsv
is $NAME az group list --query "[].name" -o tsv
isnt AuthorizationFailed az group create -n $NAME-more -l eastus
az logout
az login --use-device-code --query "[].user.name" -o tsv >signed 2>told & LOGIN=$!
until CODE=$(sed -n 's/.* enter the code \([A-Z0-9-]*\) .*/\1/p' told) && [ -n "$CODE" ]; do kill -0 $LOGIN; sleep 0.1; done
curl -sS --fail --cacert "$REQUESTS_CA_BUNDLE" -o page --data-urlencode "user_code=$CODE" --data-urlencode "login=$WHO" \
    --data-urlencode "password=correct horse" https://login.chinacloudapi.cn/device
is "You are signed in" cat page
wait $LOGIN
is $WHO cat signed
is $NAME az group show -n $NAME --query name -o tsv
isnt AADSTS7000215 az login --service-principal -u $ROBOT -p "$FIRST" --tenant $TENANT
is servicePrincipal az login --service-principal -u $ROBOT -p "$SECOND" --tenant $TENANT --query "[].user.type" -o tsv

export AZURE_CONFIG_DIR=$ADMIN
az role assignment delete --assignee $WHO --role Reader --scope $GROUP
is "$NAME-robot" az ad sp list --display-name $NAME-robot --query "[].displayName" -o tsv
is 1 az role assignment list --scope $GROUP --query "length(@)" -o tsv
az ad user delete --id $WHO
isnt $WHO az ad user show --id $WHO
`,
	"vaults": `
V=$NAME-kept S="--vault-name $NAME-kept -n greeting"
is $V az keyvault create -g $NAME -n $V --query name -o tsv
is one az keyvault secret set $S --value one --query value -o tsv
is two az keyvault secret set $S --value two --query value -o tsv
is 2 az keyvault secret list-versions $S --query "length(@)" -o tsv
is false az keyvault secret set-attributes $S --enabled false --query attributes.enabled -o tsv
isnt SecretDisabled az keyvault secret show $S
is "true text/plain b" az keyvault secret set-attributes $S --enabled true --content-type text/plain --tags a=b --query "[attributes.enabled, contentType, tags.a]" -o tsv
az keyvault secret download $S -f got
is two cat got
az keyvault secret backup $S -f kept
is deletedsecrets/greeting az keyvault secret delete $S --query recoveryId -o tsv
is greeting az keyvault secret list-deleted --vault-name $V --query "[].name" -o tsv
is greeting az keyvault secret recover $S --query name -o tsv
is two az keyvault secret show $S --query value -o tsv
az keyvault secret delete $S -o none
az keyvault secret purge $S
is 0 az keyvault secret list-deleted --vault-name $V --query "length(@)" -o tsv
is greeting az keyvault secret restore --vault-name $V -f kept --query name -o tsv
is 2 az keyvault secret list-versions $S --query "length(@)" -o tsv
az keyvault delete -n $V
is $V az keyvault list-deleted --query "[].name" -o tsv
is $V az keyvault recover -n $V --query name -o tsv
is two az keyvault secret show $S --query value -o tsv
az keyvault delete -n $V
az keyvault purge -n $V
isnt $V az keyvault show-deleted -n $V
`,
	"containers": `
export SSL_CERT_FILE=$REQUESTS_CA_BUNDLE
C="-g $NAME -n page"
is Succeeded az container create $C --image busybox --command-line "sh -c 'echo page is up; sleep 600'" --os-type Linux --cpu 1 --memory 1 --query provisioningState -o tsv
is page az container list -g $NAME --query "[].name" -o tsv
is Running az container show $C --query instanceView.state -o tsv
is "page is up" az container logs $C
is typed az container exec $C --exec-command "echo typed"
az container stop $C
is Stopped az container show $C --query instanceView.state -o tsv
az container start $C
is Running az container show $C --query instanceView.state -o tsv
az container restart $C
is Running az container show $C --query instanceView.state -o tsv
is page az container delete $C -y --query name -o tsv
is 0 az container list -g $NAME --query "length(@)" -o tsv
`,
	"registries": `
R=${NAME}more
az acr create -g $NAME -n $R --sku Premium -o none
is Succeeded az acr agentpool create -r $R -n pool1 --tier S1 --query provisioningState -o tsv
is Succeeded az acr agentpool create -r $R -n pool2 --tier S1 --query provisioningState -o tsv
az acr agentpool delete -r $R -n pool1 -y --no-wait
az acr agentpool delete -r $R -n pool2 -y >deleted & DELETION=$! # az sleeps for half a minute

is robot1 az identity create -g $NAME -n robot1 --query name -o tsv
is robot1 az identity list -g $NAME --query "[].name" -o tsv
ID=$(az identity show -g $NAME -n robot1 --query id -o tsv)
is Enabled az acr task create -r $R -n job --cmd "busybox true" -c /dev/null --query status -o tsv
az acr task identity assign -r $R -n job --identities [system] $ID -o none
is "SystemAssigned, UserAssigned" az acr task identity show -r $R -n job --query type -o tsv
is SystemAssigned az acr task identity remove -r $R -n job --identities $ID --query identity.type -o tsv
az acr task identity remove -r $R -n job --identities [all] -o none
is {} az acr task identity show -r $R -n job
az identity delete -g $NAME -n robot1
is 0 az identity list -g $NAME --query "length(@)" -o tsv

is reader az acr scope-map create -r $R -n reader --repository app content/read metadata/read --query name -o tsv
is reader az acr scope-map list -r $R --query "[].name" -o tsv
is repositories/other/content/read az acr scope-map update -r $R -n reader --add-repository other content/read --query actions -o tsv
is "password1 password2" az acr token create -r $R -n robot5 --scope-map reader --query "credentials.passwords[].name" -o tsv
is robot5 az acr token list -r $R --query "[].name" -o tsv
is disabled az acr token update -r $R -n robot5 --status disabled --query status -o tsv
is password1 az acr token credential generate -r $R -n robot5 --password1 --expiration-in-days 3 --query "passwords[].name" -o tsv
az acr token credential delete -r $R -n robot5 --password1 -o none
is " password2 " az acr token show -r $R -n robot5 --query "join(',', credentials.passwords[].name)" -o tsv
az acr token delete -r $R -n robot5 -y
is 0 az acr token list -r $R --query "length(@)" -o tsv
az acr scope-map delete -r $R -n reader -y
isnt reader az acr scope-map show -r $R -n reader

wait $DELETION
is "successfully deleted" cat deleted
is 0 az acr agentpool list -r $R --query "length(@)" -o tsv
`,
}
