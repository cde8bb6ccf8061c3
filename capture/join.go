package capture

import (
	"errors"
	"fmt"
	"os"
)

// Join reads several captures one after the other, in the order given. Each
// name is a file, a directory, or "-" for standard input. That they exist and
// may be read is checked at once; each is opened when its turn comes.
//
// A directory stands for the regular files in it, not those of directories
// below it, in the order of their first packets' times, then of their names, in
// which numbers go by their value; files without packets come last. That is the
// order of a rotated set, also of a ring that has wrapped around. What holds no
// packets in any format (text, images, programs) is passed over and counted in
// Stats.Foreign.
//
// An input that turns out to be no capture does not stop the others: Read
// returns a [*FormatError] for one that was named, a [*DamageError] around it
// for one found in a directory, and goes on with the next input.
func Join(names []string, cfg Config) (Source, error) {
	f, err := join(names, cfg)
	if err != nil {
		return nil, err
	}
	return f.source(), nil
}

func join(names []string, cfg Config) (*files, error) {
	if len(names) == 0 {
		return nil, errors.New("no capture is named")
	}
	var inputs []input
	var foreign uint64
	last := names[len(names)-1]
	if cfg.Follow {
		names = names[:len(names)-1]
	}
	for _, name := range names {
		more, passed, err := expand(name, cfg)
		if err != nil {
			return nil, err
		}
		inputs = append(inputs, more...)
		foreign += passed
	}
	f := newFiles(inputs, cfg)
	f.tally.Foreign = foreign
	if cfg.Follow {
		if err := f.follow(last); err != nil {
			return nil, err
		}
	}
	f.published = f.tally
	return f, nil
}

// follow adds the name that is followed.
func (f *files) follow(name string) error {
	info, err := os.Stat(name)
	switch {
	case name == "-":
		return errors.New("standard input cannot be followed: it is read until it ends in any case")
	case err != nil:
		return err
	case info.IsDir():
		w := newDirectoryWatch(name, f.cfg, func(d *DamageError) { f.late = append(f.late, d) })
		err := w.scan(nil)
		f.watch, f.tally.Foreign = w, f.tally.Foreign+w.foreign
		f.total = 0
		return err
	case !info.Mode().IsRegular():
		return fmt.Errorf("%s cannot be followed: it is neither a file nor a directory", name)
	}
	file, err := os.Open(name)
	if err != nil {
		return err
	}
	f.watch, f.total = fileWatch{name}, 0
	f.inputs = append(f.inputs, input{name: name, regular: true, followed: true, first: true})
	return file.Close()
}

// source is f, on a goroutine of its own where it has to wait for files.
func (f *files) source() Source {
	if f.watch == nil {
		return f
	}
	return newFollower(f)
}

// expand turns a name into inputs, and counts the files of a directory that
// are none.
func expand(name string, cfg Config) (all []input, foreign uint64, err error) {
	if name == "-" {
		return []input{stdin(cfg)}, 0, nil
	}
	info, err := os.Stat(name)
	switch {
	case err != nil:
		return nil, 0, err
	case info.IsDir():
		return expandDirectory(name, cfg)
	case !info.Mode().IsRegular():
		return []input{{name: name}}, 0, nil
	}
	file, err := os.Open(name)
	if err != nil {
		return nil, 0, err
	}
	return []input{{name: name, size: info.Size(), regular: true}}, 0, file.Close()
}

func expandDirectory(dir string, cfg Config) (all []input, foreign uint64, err error) {
	files, foreign, err := list(dir, cfg)
	switch {
	case err != nil:
		return nil, 0, err
	case len(files) == 0 && foreign == 0:
		return nil, 0, &FormatError{Name: dir, What: "a directory without files", Hint: hintOther}
	case len(files) == 0:
		return nil, 0, &FormatError{
			Name: dir, What: "a directory in which no file is a capture", Hint: hintOther,
		}
	}
	for _, f := range files {
		all = append(all, f.input)
	}
	return all, foreign, nil
}

func stdin(cfg Config) input {
	in := input{name: "-", r: cfg.Stdin}
	if in.r == nil {
		in.r = os.Stdin
	}
	if file, ok := in.r.(*os.File); ok {
		if info, err := file.Stat(); err == nil && info.Mode().IsRegular() {
			in.regular, in.size = true, info.Size()
		}
	}
	return in
}
