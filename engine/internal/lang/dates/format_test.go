package dates

import "testing"

func TestParseDateReadsTheNotation(t *testing.T) {
	t.Parallel()
	tests := []struct{ text, format, want string }{
		{"2026-01-31", "yyyy-MM-dd", "2026-01-31"},
		{"20260131", "yyyyMMdd", "2026-01-31"},
		{"31.01.2026", "dd.MM.yyyy", "2026-01-31"},
		{"31.01.2026 14:05:06", "dd.MM.yyyy HH:mm:ss", "2026-01-31T14:05:06Z"},
		{"20260131T1405", "yyyyMMddTHHmm", "2026-01-31T14:05:00Z"},
		{"2026-01-31T14:05:06Z", "yyyy-MM-ddTHH:mm:ssZ", "2026-01-31T14:05:06Z"},
		{"am 31.01.2026", "'am' dd.MM.yyyy", "2026-01-31"},
		{"29.02.2024", "dd.MM.yyyy", "2024-02-29"},
		{"29.02.2026", "dd.MM.yyyy", "error: there is no such date"},
		{"00000000", "yyyyMMdd", "error: there is no such date"},
		{"2026-01-31 24:00:00", "yyyy-MM-dd HH:mm:ss", "error: there is no such date"},
		{"1.1.2026", "dd.MM.yyyy", "error: the text does not have the form of the date format"},
		{"2026-01-31x", "yyyy-MM-dd", "error: the text does not have the form of the date format"},
		{"", "yyyy-MM-dd", "error: the text does not have the form of the date format"},
		{"14:05:06", "HH:mm:ss", "error: the date format needs yyyy, MM and dd to read a date"},
		{"2026", "", "error: the date format is empty"},
		{"26", "yy", `error: date format "yy": "yy" is not one of yyyy, MM, dd, HH, mm, ss`},
		{"2026-01-31", "YYYY-MM-DD", `error: date format "YYYY-MM-DD": "YYYY" is not one of yyyy, MM, dd, HH, mm, ss`},
		{"x", "'x", `error: date format "'x": the quote is not closed`},
	}
	for _, tt := range tests {
		got, err := ParseDate(tt.text, tt.format)
		if err != nil {
			got = "error: " + err.Error()
		}
		if got != tt.want {
			t.Errorf("parseDate(%q, %q) = %s; want %s", tt.text, tt.format, got, tt.want)
		}
	}
}

func TestFormatDateWritesTheNotation(t *testing.T) {
	t.Parallel()
	tests := []struct{ iso, format, want string }{
		{"2026-01-31", "dd.MM.yyyy", "31.01.2026"},
		{"2026-01-31", "yyyyMMdd HHmmss", "20260131 000000"},
		{"2026-01-31T14:05:06Z", "HH:mm:ss", "14:05:06"},
		{"2026-01-31T23:05:06+02:00", "yyyy-MM-ddTHH:mm", "2026-01-31T23:05"},
		{"2017-02-24T08:56:09.727", "dd.MM.yyyy HH:mm:ss", "24.02.2017 08:56:09"},
		{"2017-02-24T08:56:09.727-03:00", "yyyyMMdd", "20170224"},
		{"2026-02-30", "yyyyMMdd", "error: there is no such date"},
		{"2026-02-01T25:00:00Z", "yyyyMMdd", "error: there is no such date"},
		{"2026-02-01T05:00:00,5Z", "yyyyMMdd", "error: the text does not have the form of the date format"},
		{"2026-02-01T05:00:00Z ", "yyyyMMdd", "error: the text does not have the form of the date format"},
		{"2026-02-01 05:00:00", "yyyyMMdd", "error: the text does not have the form of the date format"},
		{"soon", "yyyyMMdd", "error: the text does not have the form of the date format"},
		{"2026-01-31", "d/M/yyyy", `error: date format "d/M/yyyy": "d" is not one of yyyy, MM, dd, HH, mm, ss`},
	}
	for _, tt := range tests {
		got, err := FormatDate(tt.iso, tt.format)
		if err != nil {
			got = "error: " + err.Error()
		}
		if got != tt.want {
			t.Errorf("formatDate(%q, %q) = %s; want %s", tt.iso, tt.format, got, tt.want)
		}
	}
}
