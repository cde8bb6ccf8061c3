package cli

import (
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/synoptic-ids/synoptic/cmd/internal/app"
	"github.com/synoptic-ids/synoptic/cmd/internal/config"
	"github.com/synoptic-ids/synoptic/cmd/internal/exit"
	"github.com/synoptic-ids/synoptic/cmd/internal/output"
	"github.com/synoptic-ids/synoptic/detect"
)

func configCommand(streams app.Streams) *cobra.Command {
	cmd := &cobra.Command{
		Use:   "config",
		Short: "print and check rules and formats",
		Long:  strings.TrimSpace(configText),
		RunE: func(_ *cobra.Command, args []string) error {
			err := errors.New("config needs a verb")
			if len(args) > 0 {
				err = fmt.Errorf("unknown verb %q of config", args[0])
			}
			return exit.With(exit.Usage, err, "the verbs are rules, allow, profiles, schema and check")
		},
		Args: cobra.ArbitraryArgs,
	}
	cmd.AddCommand(rulesCommand(streams), allowCommand(streams), profilesCommand(streams), schemaCommand(streams), checkCommand(streams))
	return cmd
}

func rulesCommand(streams app.Streams) *cobra.Command {
	var profile string
	cmd := &cobra.Command{
		Use:   "rules",
		Short: "print the rules of a profile",
		Long:  strings.TrimSpace(rulesText),
		Args:  cobra.NoArgs,
		RunE: func(*cobra.Command, []string) error {
			text, err := config.ProfileSource(profile)
			if err != nil {
				return err
			}
			_, err = streams.Out.Write(text)
			return err
		},
	}
	cmd.Flags().StringVar(&profile, "profile", config.DefaultProfile, "built-in rules")
	_ = cmd.RegisterFlagCompletionFunc("profile", fixed(detect.Profiles()...))
	return cmd
}

func allowCommand(streams app.Streams) *cobra.Command {
	return &cobra.Command{
		Use:   "allow",
		Short: "print an example of an allow-list",
		Long:  strings.TrimSpace(allowText),
		Args:  cobra.NoArgs,
		RunE: func(*cobra.Command, []string) error {
			_, err := streams.Out.Write(detect.AllowExample())
			return err
		},
	}
}

func profilesCommand(streams app.Streams) *cobra.Command {
	return &cobra.Command{
		Use:   "profiles",
		Short: "list the built-in profiles",
		Long:  "Usage:\n    synoptic config profiles\n\nLists the built-in profiles, one a line.",
		Args:  cobra.NoArgs,
		RunE: func(*cobra.Command, []string) error {
			_, err := fmt.Fprintln(streams.Out, strings.Join(detect.Profiles(), "\n"))
			return err
		},
	}
}

func schemaCommand(streams app.Streams) *cobra.Command {
	return &cobra.Command{
		Use:   "schema",
		Short: "print the JSON Schema of the records",
		Long:  strings.TrimSpace(schemaText),
		Args:  cobra.NoArgs,
		RunE: func(*cobra.Command, []string) error {
			_, err := streams.Out.Write(output.Schema())
			return err
		},
	}
}

func checkCommand(streams app.Streams) *cobra.Command {
	var memory string
	cmd := &cobra.Command{
		Use:   "check FILE",
		Short: "check a rules file or an allow-list",
		Long:  strings.TrimSpace(checkText),
		Args:  cobra.ExactArgs(1),
		RunE: func(_ *cobra.Command, args []string) error {
			budget, err := config.ParseMemory(memory)
			if err != nil {
				return err
			}
			c, err := checked(args[0], budget)
			if err != nil {
				return err
			}
			say := app.NewVoice(streams.Err)
			say.Inexact(c.inexact)
			say.Expired(c.allow, detect.Time(time.Now().UnixNano()))
			_, err = fmt.Fprintf(streams.Out, "%s: %s, no mistakes\n", args[0], c.what)
			return err
		},
	}
	cmd.Flags().StringVar(&memory, "memory", "", "memory that rules must fit into")
	return cmd
}

// contents are what a file without mistakes holds.
type contents struct {
	what    string
	allow   []detect.Allowance
	inexact []*detect.RuleError
}

// checked checks a file, rules for so much memory.
func checked(name string, memory int64) (c contents, err error) {
	if config.IsAllowFile(name) {
		c.allow, err = config.AllowFile(name)
		c.what = config.Entries(len(c.allow))
		return c, err
	}
	rules, err := config.RulesFile(name)
	if err != nil {
		return c, err
	}
	c.what, c.allow = config.Contents(&rules), rules.Allow
	c.inexact, err = config.Inexact(rules, memory)
	return c, err
}
