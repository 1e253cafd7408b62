"""The project: settings, addresses, processes and the timetable."""
