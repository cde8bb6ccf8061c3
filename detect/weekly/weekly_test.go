package weekly

import (
	"testing"
	"time"
	_ "time/tzdata" // the zones of the tests, whatever the machine has

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"
)

func TestParse(t *testing.T) {
	const mon, fri, sat, sun = time.Monday, time.Friday, time.Saturday, time.Sunday
	for _, c := range []struct {
		in   string
		want Hours
		out  string // what it is written as; empty: as it is
	}{
		{"sat", Hours{sat, sat, 0, Day}, ""},
		{"mon-fri", Hours{mon, fri, 0, Day}, ""},
		{"fri-mon 08:30-24:00", Hours{fri, mon, 510, Day}, ""},
		{"mon-fri 22:00-06:00", Hours{mon, fri, 1320, 360}, ""},
		{"22:00-06:00", Hours{sun, sat, 1320, 360}, ""},
		{"00:00-00:01", Hours{sun, sat, 0, 1}, ""},
		{"23:59-24:00", Hours{sun, sat, 1439, Day}, ""},
		{"22:00-00:00", Hours{sun, sat, 1320, Day}, "22:00-24:00"},
		{"sat-sat 00:00-24:00", Hours{sat, sat, 0, Day}, "sat"},
		{"tue-mon 01:00-02:00", Hours{sun, sat, 60, 120}, "01:00-02:00"},
		{"Mon-FRI", Hours{mon, fri, 0, Day}, "mon-fri"},
		{"sun-sat", Hours{sun, sat, 0, Day}, ""},
	} {
		got, err := Parse(c.in)
		require.NoError(t, err, c.in)
		require.Equal(t, c.want, got, c.in)
		if c.out == "" {
			c.out = c.in
		}
		require.Equal(t, c.out, got.String())
	}
}

func TestParseRefuses(t *testing.T) {
	for _, in := range []string{
		"", " ", "-", "monday", "mon-", "-mon", "mon-tue-wed", "mon,tue", "mo", "22:00", "22:00-", "-06:00",
		"mon 22:00", "mon  22:00-06:00", "mon 22:00 -06:00", "mon 22:00-06:00 ", " mon", "22:00-06:00 mon", "5:00-06:00", "22.00-06.00",
		"22:60-23:00", "24:00-06:00", "00:00-24:01", "25:00-26:00", "+1:00-02:00", "22:00-06:00-07:00", "mon\t22:00-06:00", "mon:tue",
	} {
		h, err := Parse(in)
		require.EqualError(t, err, "must be days, times or both, such as mon-fri 22:00-06:00", in)
		require.Zero(t, h)
	}
	for _, in := range []string{"22:00-22:00", "fri 08:00-08:00"} {
		_, err := Parse(in)
		require.EqualError(t, err, "they end as they begin: for whole days leave the times out", in)
	}
}

func TestCheck(t *testing.T) {
	for _, h := range []Hours{
		{}, {-1, 0, 0, 1}, {0, 7, 0, 1}, {0, 0, -1, 1}, {0, 0, Day, 1}, {0, 0, 0, 0}, {0, 0, 0, Day + 1}, {0, 0, 60, 60},
	} {
		require.Error(t, h.Check(), h)
	}
	require.NoError(t, Hours{Begin: 0, End: 1}.Check())
}

// in reads times such as "2026-03-29 01:59:59" in a zone.
func in(t *testing.T, zone, text string) time.Time {
	t.Helper()
	loc, err := time.LoadLocation(zone)
	require.NoError(t, err)
	at, err := time.ParseInLocation(time.DateTime, text, loc)
	require.NoError(t, err)
	return at
}

// TestContain goes through a week: 2026-03-02 is a Monday.
func TestContain(t *testing.T) {
	for _, c := range []struct {
		hours   string
		inside  []string
		outside []string
	}{
		{"mon", []string{"02 00:00:00", "02 23:59:59"}, []string{"01 23:59:59", "03 00:00:00"}},
		{"tue", []string{"03 00:00:00", "03 23:59:59"}, []string{"02 23:59:59", "04 00:00:00"}},
		{"wed", []string{"04 00:00:00", "04 23:59:59"}, []string{"03 23:59:59", "05 00:00:00"}},
		{"thu", []string{"05 00:00:00", "05 23:59:59"}, []string{"04 23:59:59", "06 00:00:00"}},
		{"fri", []string{"06 00:00:00", "06 23:59:59"}, []string{"05 23:59:59", "07 00:00:00"}},
		{"sat", []string{"07 00:00:00", "07 23:59:59"}, []string{"06 23:59:59", "08 00:00:00"}},
		{"sun", []string{"01 12:00:00", "08 00:00:00", "08 23:59:59"}, []string{"07 23:59:59", "09 00:00:00"}},
		{
			"mon-fri 22:00-06:00",
			[]string{"02 22:00:00", "02 23:59:59", "03 00:00:00", "03 05:59:59", "06 23:00:00", "07 05:59:59"},
			[]string{"02 05:59:59", "02 21:59:59", "03 06:00:00", "07 06:00:00", "07 22:00:00", "08 00:00:00", "09 01:00:00"},
		},
		{
			"fri-mon 08:30-17:00",
			[]string{"06 08:30:00", "07 12:00:00", "08 12:00:00", "09 16:59:59"},
			[]string{"06 08:29:59", "06 17:00:00", "05 12:00:00", "03 12:00:00"},
		},
		{
			"sat 18:00-12:00",
			[]string{"07 18:00:00", "08 11:59:59", "01 11:00:00"},
			[]string{"07 11:00:00", "07 17:59:59", "08 12:00:00", "08 18:00:00"},
		},
		{"12:00-12:01", []string{"04 12:00:00", "05 12:00:59"}, []string{"04 11:59:59", "04 12:01:00"}},
		{"sun-sat", []string{"04 00:00:00", "07 23:59:59"}, nil},
	} {
		h, err := Parse(c.hours)
		require.NoError(t, err)
		for _, zone := range []string{"UTC", "Asia/Kolkata", "America/St_Johns"} {
			for _, at := range c.inside {
				require.True(t, h.Contain(in(t, zone, "2026-03-"+at)), "%s: %s", c.hours, at)
			}
			for _, at := range c.outside {
				require.False(t, h.Contain(in(t, zone, "2026-03-"+at)), "%s: %s", c.hours, at)
			}
		}
	}
}

// TestContainWhenTheClockChanges: in Berlin 2026-03-29 has no 02:00 to 03:00, and
// 2026-10-25 has it twice.
func TestContainWhenTheClockChanges(t *testing.T) {
	berlin, err := time.LoadLocation("Europe/Berlin")
	require.NoError(t, err)
	for _, c := range []struct {
		hours string
		from  string // UTC
		want  string // in hours or not, by half hours from there
	}{
		// 00:00 to 05:00 by the clock, in four hours.
		{"sun 01:00-04:00", "2026-03-28 23:00:00", "..####.."},
		{"sun 02:00-03:00", "2026-03-28 23:00:00", "........"},
		{"sun 02:30-03:30", "2026-03-28 23:00:00", "....#..."},
		{"sat 22:00-02:30", "2026-03-28 23:00:00", "####...."},
		{"sun 03:00-04:00", "2026-03-28 23:00:00", "....##.."},
		// 00:00 to 05:00 by the clock, in six hours.
		{"sun 01:00-04:00", "2026-10-24 22:00:00", "..########.."},
		{"sun 02:00-03:00", "2026-10-24 22:00:00", "....####...."},
		{"sun 02:30-03:30", "2026-10-24 22:00:00", ".....#.##..."},
		{"sat 22:00-02:30", "2026-10-24 22:00:00", "#####.#....."},
	} {
		h, err := Parse(c.hours)
		require.NoError(t, err)
		at := in(t, "UTC", c.from)
		for i, mark := range c.want {
			now := at.Add(time.Duration(i) * 30 * time.Minute).In(berlin)
			require.Equal(t, mark == '#', h.Contain(now), "%s: %s", c.hours, now)
		}
	}
}

// drawHours draws hours that Check takes, written as Parse writes them.
func drawHours(t *rapid.T) Hours {
	for {
		h := Hours{
			First: time.Weekday(rapid.IntRange(0, 6).Draw(t, "first")), Last: time.Weekday(rapid.IntRange(0, 6).Draw(t, "last")),
			Begin: rapid.IntRange(0, Day-1).Draw(t, "begin"), End: rapid.IntRange(1, Day).Draw(t, "end"),
		}
		if h.everyDay() {
			h.First, h.Last = time.Sunday, time.Saturday
		}
		if h.Check() == nil {
			return h
		}
	}
}

func TestWrittenHoursReadTheSame(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		h := drawHours(t)
		got, err := Parse(h.String())
		require.NoError(t, err)
		require.Equal(t, h, got)
	})
}

// TestContainByMinutes compares with the hours laid out minute by minute.
func TestContainByMinutes(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		h := drawHours(t)
		var week [7 * Day]bool
		for day := h.First; ; day = (day + 1) % 7 {
			for m := h.Begin; m%Day != h.End%Day || m == h.Begin; m++ {
				week[(int(day)*Day+m)%len(week)] = true
			}
			if day == h.Last {
				break
			}
		}
		sunday := time.Date(2026, 3, 1, 0, 0, 0, 0, time.UTC)
		for range 50 {
			m := rapid.IntRange(0, len(week)-1).Draw(t, "minute")
			at := sunday.Add(time.Duration(m)*time.Minute + time.Duration(rapid.IntRange(0, 59).Draw(t, "second"))*time.Second)
			require.Equal(t, week[m], h.Contain(at), at)
		}
	})
}

func FuzzParse(f *testing.F) {
	for _, s := range []string{"mon-fri 22:00-06:00", "sat", "00:00-24:00", "mon 24:00-00:00", "- :"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, text string) {
		h, err := Parse(text)
		if err != nil {
			return
		}
		require.NoError(t, h.Check())
		again, err := Parse(h.String())
		require.NoError(t, err)
		require.Equal(t, h, again)
	})
}
