package cli

import "strings"

// dataFlags say which registry is spoken to itself, and as whom.
type dataFlags struct {
	registryFlags
	user, password, suffix string
}

func (d *dataFlags) byName(f *flags) {
	d.registryFlags.byName(f)
	d.credentials(f)
}

func (d *dataFlags) byRegistry(f *flags) {
	d.registryFlags.byRegistry(f)
	d.credentials(f)
}

func (d *dataFlags) credentials(f *flags) {
	f.StringVarP(&d.user, "username", "u", "", "user of the registry, instead of who is signed in")
	f.StringVarP(&d.password, "password", "p", "", "password of that user")
	f.StringVar(&d.suffix, "suffix", "", "what is added to the registry's name in its login server")
}

// open returns the client of the registry that the flags name.
func (d *dataFlags) open(c *call) (*dataPlane, error) {
	s, err := c.session()
	if err != nil {
		return nil, err
	}
	name, err := d.name(c, s)
	if err != nil {
		return nil, err
	}
	if d.user != "" && d.password == "" {
		if d.password, err = c.askSecret("Password: "); err != nil {
			return nil, err
		}
	}
	return s.dataPlane(name, d), nil
}

func (s *session) dataPlane(name string, d *dataFlags) *dataPlane {
	p := &dataPlane{session: s, server: strings.ToLower(name) + s.cloud.RegistrySuffix}
	if d != nil {
		p.user, p.password = d.user, d.password
		if d.suffix != "" {
			p.server = strings.ToLower(name) + "-" + d.suffix + s.cloud.RegistrySuffix
		}
	}
	return p
}
