package cli

// ofManifest returns the manifest of an image as a target, also for a tag.
func ofManifest(c *call, p *dataPlane, i image) (target, error) {
	i, err := i.resolve(c, p)
	return target{image: i}, err
}

func manifestShowMetadata() command {
	var m manifestFlags
	return manifestCommand("show-metadata [IMAGE]", "Show what is known of a manifest", m.define, func(c *call) (any, error) {
		p, i, err := m.image(c)
		if err != nil {
			return nil, err
		}
		t, err := ofManifest(c, p, i)
		if err != nil {
			return nil, err
		}
		return p.show(c, t)
	})
}

func manifestUpdateMetadata() command {
	var m manifestFlags
	var l locks
	return manifestCommand("update-metadata [IMAGE]", "Change the attributes of a tag or a manifest", func(f *flags) {
		m.define(f)
		l.define(f)
	}, func(c *call) (any, error) {
		p, i, err := m.image(c)
		if err != nil {
			return nil, err
		}
		return p.lock(c, target{image: i}, l)
	})
}

func manifestDelete() command {
	var m manifestFlags
	var yes bool
	return manifestCommand("delete [IMAGE]", "Delete a manifest with all of its tags", func(f *flags) {
		m.define(f)
		yesFlag(f, &yes)
	}, func(c *call) (any, error) {
		p, i, err := m.image(c)
		if err != nil {
			return nil, err
		}
		return nil, p.deleteManifest(c, i, yes)
	})
}
