package capture

import (
	"cmp"
	"errors"
	"math"
	"os"
	"path/filepath"
	"slices"
)

// Join reads several captures one after the other, in the order given. Each
// name is a file, a directory, or "-" for standard input. That they exist and
// may be read is checked at once; each is opened when its turn comes.
//
// A directory stands for the regular files in it, not those of directories
// below it, in the order of their first packets' times, then of their names;
// files without packets come last.
//
// An input that turns out to be no capture does not stop the others: Read
// returns a [*FormatError] for one that was named, a [*DamageError] around it
// for one found in a directory, and goes on with the next input.
func Join(names []string, cfg Config) (Source, error) {
	f, err := join(names, cfg)
	if err != nil {
		return nil, err
	}
	return f, nil
}

func join(names []string, cfg Config) (*files, error) {
	if len(names) == 0 {
		return nil, errors.New("no capture is named")
	}
	var inputs []input
	for _, name := range names {
		more, err := expand(name, cfg)
		if err != nil {
			return nil, err
		}
		inputs = append(inputs, more...)
	}
	return newFiles(inputs, cfg), nil
}

// expand turns a name into inputs.
func expand(name string, cfg Config) ([]input, error) {
	if name == "-" {
		return []input{stdin(cfg)}, nil
	}
	info, err := os.Stat(name)
	switch {
	case err != nil:
		return nil, err
	case info.IsDir():
		return list(name, cfg)
	case !info.Mode().IsRegular():
		return []input{{name: name}}, nil
	}
	file, err := os.Open(name)
	if err != nil {
		return nil, err
	}
	return []input{{name: name, size: info.Size(), regular: true}}, file.Close()
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

// list returns the files of a directory in order of time.
func list(dir string, cfg Config) ([]input, error) {
	entries, err := os.ReadDir(dir)
	if err != nil {
		return nil, err
	}
	type dated struct {
		input
		first int64
	}
	var found []dated
	var scratch []byte
	for _, entry := range entries {
		in := input{name: filepath.Join(dir, entry.Name()), regular: true, listed: true}
		// Links are followed. One that leads nowhere stays in the list, so that
		// opening it says so.
		if info, err := os.Stat(in.name); err == nil {
			if !info.Mode().IsRegular() {
				continue
			}
			in.size = info.Size()
		}
		var first int64
		first, scratch = firstTime(in, cfg, scratch)
		found = append(found, dated{in, first})
	}
	if len(found) == 0 {
		return nil, &FormatError{Name: dir, What: "a directory without files", Hint: hintOther}
	}
	slices.SortStableFunc(found, func(a, b dated) int { return cmp.Compare(a.first, b.first) })
	inputs := make([]input, len(found))
	for i, d := range found {
		inputs[i] = d.input
	}
	return inputs, nil
}

// firstTime is the time of the first packet of a file, or the end of time if
// none can be read. It reads with scratch, and returns it for the next.
func firstTime(in input, cfg Config, scratch []byte) (int64, []byte) {
	f := newFiles([]input{in}, cfg)
	f.scratch = scratch
	defer func() { _ = f.Close() }()
	fs := make([]Frame, 1)
	for {
		n, err := f.Read(fs)
		if n > 0 {
			first := fs[0].Time
			f.finish()
			return first, f.scratch
		}
		var bad *DamageError
		if errors.As(err, &bad) && bad.Resumes {
			continue
		}
		return math.MaxInt64, f.scratch
	}
}
