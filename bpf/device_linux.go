package bpf

import (
	"errors"
	"fmt"
	"net"
)

// attach puts the program on an interface, and that into promiscuous mode if it is to be.
func (c *Counter) attach(device *net.Interface) error {
	l, mode, err := attach(c.objects.Synoptic, device, &c.config)
	if err != nil {
		return err
	}
	if c.promisc >= 0 {
		if err := listen(c.promisc, device); err != nil {
			return errors.Join(err, l.Close())
		}
	}
	c.link, c.mode = l, mode
	return nil
}

// follow sees whether the interface was removed, which takes the program off it, and puts it
// on one of the same name that comes. It takes no capability beyond those to go on counting.
func (c *Counter) follow() error {
	name := c.config.Interface
	if c.link == nil {
		device, err := net.InterfaceByName(name)
		if err != nil {
			return nil // not yet
		}
		return c.again(device)
	}
	info, err := c.link.Info()
	if err != nil {
		return fmt.Errorf("looking for the XDP program on %s: %w", name, err)
	}
	if xdp := info.XDP(); xdp == nil || xdp.Ifindex != 0 {
		return nil
	}
	c.config.warn(fmt.Sprintf("interface %s is gone; counting goes on if one of the name comes", name))
	gone := c.link
	c.link, c.refused = nil, ""
	return gone.Close()
}

// again attaches the program again. What is in the way is told once, and it is tried on.
func (c *Counter) again(device *net.Interface) error {
	name := c.config.Interface
	if err := c.attach(device); err != nil {
		if why := err.Error(); why != c.refused {
			c.refused = why
			c.config.warn(fmt.Sprintf("interface %s is back, but cannot be counted yet: %v", name, err))
		}
		return nil
	}
	c.config.warn(fmt.Sprintf("interface %s is back; counting goes on, %s", name, c.mode))
	return nil
}
