"""Which roles use which part of the console; each endpoint names one of these sets.

The units' handlers see and move the cases of their own unit only: `hotline/sight.py`. What a move
asks of whoever makes it stands in the table of moves (`routing/cases.py`), not here.
"""

from routing.cases import Role

DESK = frozenset({Role.OPERATOR, Role.DISPATCHER, Role.DUTY_OFFICER, Role.SUPERVISOR})
"""Who speaks with citizens and keeps the line."""
OPENERS = DESK - {Role.SUPERVISOR}
"""Who begins cases."""
CALLERS = DESK | {Role.CALL_BACK}
"""Who may place calls to citizens."""
OFFICE = CALLERS | {Role.AUDITOR, Role.LEADER, Role.DISCIPLINE}
"""Who may hear and read calls: the hotline's own people, not the units."""
READERS = OFFICE | {Role.UNIT}
"""Who may read cases. Administrators look after the service and see no case by that role."""
RULERS = frozenset({Role.SUPERVISOR, Role.DUTY_OFFICER})
SUPERVISORS = frozenset({Role.SUPERVISOR})
INSPECTORS = frozenset({Role.SUPERVISOR, Role.DISCIPLINE})
"""Who may ask who saw a case."""
ACKNOWLEDGERS = frozenset({Role.DISPATCHER, Role.SUPERVISOR, Role.DUTY_OFFICER, Role.LEADER})
"""Who says that a burst is seen to."""
OVERSEERS = frozenset({Role.SUPERVISOR, Role.LEADER})
"""Who gives items, puts matters under supervision, raises and clears them."""
DISCIPLINE = frozenset({Role.DISCIPLINE})
PROTECTORS = frozenset({Role.OPERATOR, Role.DISPATCHER, Role.DISCIPLINE})
"""Who may mark a case as protected."""
RECUSERS = frozenset({Role.DISPATCHER, Role.SUPERVISOR, Role.DISCIPLINE})
"""Who may keep others than themselves apart from a case."""
FAULT_VIEWERS = frozenset({Role.SUPERVISOR, Role.LEADER, Role.DISCIPLINE})
"""Who sees every fault record and decides; others see what concerns themselves."""
FAULT_REPORTERS = FAULT_VIEWERS | {Role.AUDITOR, Role.CALL_BACK}
"""Who writes down a fault."""
INSPECTORS_OF_CALLS = frozenset({Role.SUPERVISOR, Role.AUDITOR})
"""Who sees the inspection of every call, and scores calls."""
INSPECTED = DESK | {Role.AUDITOR}
"""Who sees inspections at all: whoever answers calls, those of the own seat."""
ADMINISTRATORS = frozenset({Role.ADMINISTRATOR})
TELLERS = frozenset({Role.DISPATCHER, Role.SUPERVISOR, Role.ADMINISTRATOR})
"""Who looks after the notices and the address book."""
READ_BY_ALL = READERS | ADMINISTRATORS
"""Whoever works here may read the directory of units, the catalogue and the cards."""
CARD_WRITERS = frozenset({Role.DISPATCHER, Role.SUPERVISOR, Role.UNIT})
"""Who writes cards; a unit's handlers those of their own unit only."""
DUTY = frozenset({Role.DUTY_OFFICER, Role.LEADER, Role.SUPERVISOR})
"""Who reads what the duty desk keeps: its log, its incidents, its handovers."""
DUTY_WRITERS = frozenset({Role.DUTY_OFFICER, Role.LEADER})
"""Who is on duty, and so writes the log."""
LEADERS = frozenset({Role.LEADER})
"""Who signs a report before it goes."""
CONTACT_READERS = DESK | {Role.LEADER}
"""Who looks whom up in the duty desk's contact book; leaders' numbers only `DUTY_WRITERS`."""
UNITS = frozenset({Role.UNIT})
LEAGUE_READERS = OVERSEERS | UNITS
"""Who reads the league table of units: whoever is judged by it, too."""
PUBLISHERS = frozenset({Role.DISPATCHER, Role.AUDITOR, Role.SUPERVISOR, Role.LEADER})
"""Who puts replies before the public; two of them for each."""
EXPORTERS = OFFICE - {Role.OPERATOR, Role.CALL_BACK}
"""Who may take lists away as files: whoever steers or checks the work, not who does one by one."""
RECORD_EXPORTERS = frozenset({Role.SUPERVISOR, Role.AUDITOR, Role.DISCIPLINE, Role.ADMINISTRATOR})
"""Who may take the journal away, each as far as it may be seen."""
SUPERVISION_EXPORTERS = FAULT_VIEWERS | {Role.AUDITOR}
"""Who may take the supervision board away: whoever supervises, and the audit."""
