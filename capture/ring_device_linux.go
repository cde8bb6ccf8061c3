package capture

import (
	"errors"
	"fmt"
	"unsafe"

	"golang.org/x/sys/unix"
)

// anyDevice is all devices at once.
const anyDevice = "any"

// device is an interface that is captured from. Sockets stay bound to it by its
// number, whatever it is called, and hear nothing more when it is removed.
type device struct {
	asked  string // its name as it was asked for
	name   string // as it is now
	index  int    // 0: all devices
	hatype uint16
	link   uint16
	up     bool
	gone   bool
	missed missed
}

// findDevice looks for a device; fd is any socket of the network namespace.
func findDevice(fd int, name string) (*device, error) {
	d := &device{asked: name, name: name, up: true}
	if name != anyDevice {
		if err := d.find(fd); err != nil {
			return nil, err
		}
	}
	d.link = linkOfType(d.hatype)
	return d, nil
}

// find looks for the device by the name that was asked for.
func (d *device) find(fd int) error {
	var request unix.Ifreq
	for _, question := range []uint{unix.SIOCGIFINDEX, unix.SIOCGIFHWADDR, unix.SIOCGIFFLAGS} {
		named, err := unix.NewIfreq(d.asked)
		if err == nil {
			err = ask(fd, question, named)
		}
		switch {
		case errors.Is(err, unix.ENODEV), errors.Is(err, unix.EINVAL): // a name that is too long is invalid
			return ErrNoDevice
		case err != nil:
			return err
		}
		request = *named
		switch question {
		case unix.SIOCGIFINDEX:
			d.index = int(request.Uint32())
		case unix.SIOCGIFHWADDR:
			d.hatype = request.Uint16()
		case unix.SIOCGIFFLAGS:
			d.up = request.Uint16()&unix.IFF_UP != 0
		}
	}
	d.name, d.gone = d.asked, false
	return nil
}

// look notes what became of the device, and returns what is to be told of that,
// which is mostly nothing.
func (d *device) look(fd int) (news string) {
	if d.index == 0 || d.gone {
		return ""
	}
	named, _ := unix.NewIfreq("") // which is not too long
	named.SetUint32(uint32(d.index))
	if ask(fd, unix.SIOCGIFNAME, named) != nil {
		d.gone = true
		return fmt.Sprintf("interface %s is gone; capturing goes on if one of the name %s comes", d.name, d.asked)
	}
	if name := named.Name(); name != d.name {
		news = fmt.Sprintf("interface %s is now called %s; capturing goes on", d.name, name)
		d.name = name
		return news
	}
	if ask(fd, unix.SIOCGIFFLAGS, named) != nil {
		return "" // it was renamed or removed this moment
	}
	up := named.Uint16()&unix.IFF_UP != 0
	switch {
	case up && !d.up:
		news = fmt.Sprintf("interface %s is up; capturing goes on", d.name)
	case !up && d.up:
		news = fmt.Sprintf("interface %s is down; capturing goes on when it is up", d.name)
	}
	d.up = up
	return news
}

func ask(fd int, question uint, request *unix.Ifreq) error {
	_, _, failed := unix.Syscall(unix.SYS_IOCTL, uintptr(fd), uintptr(question), uintptr(unsafe.Pointer(request)))
	if failed != 0 {
		return failed
	}
	return nil
}
