package cli

func cloudSet() command {
	var name string
	return command{
		use: "set", short: "Choose the cloud to work with",
		flags: func(f *flags) {
			f.StringVarP(&name, "name", "n", "", "name of the cloud")
			f.need("name")
		},
		run: func(c *call) (any, error) {
			p, err := c.store.Load()
			if err != nil {
				return nil, err
			}
			if _, ok := p.Cloud(name); !ok {
				return nil, unknownCloud(c, name)
			}
			p.Active = name
			if _, ok := p.Accounts[name]; !ok {
				c.say("Switched to %q. Sign in with %s login.", name, c.Name)
			}
			return nil, c.store.Save(p)
		},
	}
}

func cloudUnregister() command {
	var name string
	return command{
		use: "unregister", short: "Forget a cloud",
		flags: func(f *flags) {
			f.StringVarP(&name, "name", "n", "", "name of the cloud")
			f.need("name")
		},
		run: func(c *call) (any, error) {
			p, err := c.store.Load()
			if err != nil {
				return nil, err
			}
			if _, ok := p.Clouds[name]; !ok {
				return nil, unknownCloud(c, name)
			}
			delete(p.Clouds, name)
			delete(p.Accounts, name)
			if p.Active == name {
				p.Active = ""
			}
			return nil, c.store.Save(p)
		},
	}
}
