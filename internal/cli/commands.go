package cli

// commands returns the tree of commands. A command has a file of its own; those
// of a small group share one.
func (a *app) commands() []command {
	return []command{
		loginCommand(),
		logoutCommand(),
		{use: "account", short: "Subscriptions and tokens", group: []command{accountList(), accountShow(), accountSet(), accountLocations(), accountToken()}},
		{use: "cloud", short: "Servers to work with", group: []command{cloudList(), cloudShow(), cloudRegister(), cloudSet(), cloudUnregister()}},
		{use: "group", short: "Resource groups", group: []command{groupCreate(), groupShow(), groupList(), groupExists(), groupDelete()}},
		{use: "acr", short: "Registries, builds and tasks", group: acrCommands()},
		{use: "container", short: "Container groups, which keep running", group: containerCommands()},
		{use: "ad", short: "Users, groups, applications and service principals", group: adCommands()},
		{use: "role", short: "Roles, and who has them", group: []command{
			{use: "assignment", short: "Who has which roles", group: []command{roleAssignmentCreate(), roleAssignmentList(), roleAssignmentDelete()}},
			{use: "definition", short: "The roles that there are", group: []command{roleDefinitionList(), roleDefinitionShow()}},
		}},
		{use: "identity", short: "User-assigned identities, which tasks can be given", group: []command{identityCreate(), identityShow(), identityList(), identityDelete()}},
		{use: "monitor", short: "What was done on the server", group: monitorCommands()},
		{use: "keyvault", short: "Key vaults and their secrets", group: keyvaultCommands()},
		{use: "resource", short: "Resources of all types", group: []command{resourceList()}},
		configureCommand(),
		versionCommand(),
	}
}

func adCommands() []command {
	credentials := func(of directoryKind) command {
		return command{use: "credential", short: "Secrets", group: []command{credentialReset(of), credentialList(of), credentialDelete(of)}}
	}
	return []command{
		{use: "sp", short: "Service principals, which programs sign in as", group: []command{
			spCreateForRBAC(), spCreate(), adList(servicePrincipals), adShow(servicePrincipals), adDelete(servicePrincipals), credentials(servicePrincipals),
		}},
		{use: "app", short: "Applications, which service principals are made of", group: []command{
			appCreate(), adList(applications), adShow(applications), adDelete(applications), credentials(applications),
		}},
		{use: "user", short: "People, who sign in with a name and a password", group: adUserCommands()},
		{use: "group", short: "Groups of people at the provider of identities, which roles are given to", group: adGroupCommands()},
		{use: "signed-in-user", short: "Who is signed in", group: []command{signedInUser()}},
	}
}

func acrCommands() []command {
	return []command{
		acrCreate(), acrShow(), acrList(), acrUpdate(), acrDelete(), acrCheckName(), acrUsage(),
		{use: "credential", short: "The admin user of a registry", group: []command{credentialShow(), credentialRenew()}},
		acrLogin(), acrCheckHealth(), acrImport(),
		acrBuild(), acrRun(),
		{use: "task", short: "Tasks and their runs", group: taskCommands()},
		{use: "taskrun", short: "Runs that are resources", group: []command{taskrunList(), taskrunShow(), taskrunDelete(), taskrunLogs()}},
		{use: "agentpool", short: "Pools that runs are carried out by", group: []command{
			agentpoolCreate(), agentpoolUpdate(), agentpoolShow(), agentpoolList(), agentpoolDelete(),
		}},
		{use: "webhook", short: "URLs that are told of pushes, deletions and runs", group: []command{
			webhookCreate(), webhookUpdate(), webhookShow(), webhookList(), webhookDelete(), webhookPing(), webhookEvents(), webhookConfig(),
		}},
		{use: "scope-map", short: "What tokens may do in which repositories", group: []command{
			scopeMapCreate(), scopeMapUpdate(), scopeMapShow(), scopeMapList(), scopeMapDelete(),
		}},
		{use: "token", short: "Names with passwords for some repositories", group: []command{
			tokenCreate(), tokenUpdate(), tokenShow(), tokenList(), tokenDelete(),
			{use: "credential", short: "The passwords of a token", group: []command{tokenCredentialGenerate(), tokenCredentialDelete()}},
		}},
		{use: "repository", short: "Repositories and tags", group: []command{
			repositoryList(), repositoryTags(), repositoryManifests(), repositoryShow(), repositoryUpdate(), repositoryDelete(), repositoryUntag(),
		}},
		{use: "manifest", short: "Manifests", group: []command{
			manifestList(), manifestMetadata(), manifestShow(), manifestShowMetadata(), manifestUpdateMetadata(), manifestReferrers(), manifestDelete(),
		}},
	}
}

func taskCommands() []command {
	return []command{
		taskCreate(), taskUpdate(), taskShow(), taskList(), taskDelete(),
		taskRun(), taskRerun(), taskLogs(), taskListRuns(), taskShowRun(), taskCancelRun(), taskUpdateRun(),
		taskWhy(), taskGraph(), taskStale(), taskPause(), taskResume(),
		{use: "credential", short: "Credentials for other registries", group: []command{
			taskCredentialAdd(), taskCredentialUpdate(), taskCredentialRemove(), taskCredentialList(),
		}},
		{use: "identity", short: "The identity of a task", group: []command{taskIdentityAssign(), taskIdentityRemove(), taskIdentityShow()}},
		{use: "timer", short: "The timers of a task", group: []command{taskTimerAdd(), taskTimerUpdate(), taskTimerRemove(), taskTimerList()}},
		{use: "hook", short: "How registries elsewhere tell of pushes", group: []command{taskHookShow(), taskHookRenew()}},
	}
}
