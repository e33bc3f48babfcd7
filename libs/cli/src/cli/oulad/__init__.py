"""The Open University Learning Analytics Dataset (OULAD) as xAPI statements, a catalog and a roster.

Kuzilek, J., Hlosta, M., Zdrahal, Z. (2017). Open University Learning Analytics dataset. Scientific Data 4:170171.
doi:10.1038/sdata.2017.171. CC BY 4.0. It is not shipped: whoever has the files names their folder.

| row | statements | time |
| --- | --- | --- |
| enrolment | `registered` on the module presentation | its start: the first day of its month (B February, J October) |
| its result | `passed` (Pass, Distinction), `failed`, `terminated` (Withdrawn) | its end: the files hold no day |
| submission | `scored`, and `completed` that refers to it; without a score `completed` alone | its day |

Days have no time of day in the files; statements carry midnight UTC. Extensions (all below `EXTENSIONS`):
`due` (context; the day an assessment is due, absent for exams without one), `banked` (result; true where the result was
carried over from an earlier presentation, and so may be dated before the start), `distinction` (result; true).
The agent is an account at `STUDENTS`, named by id_student. A statement's id follows from its row's key alone (UUID
version 5), so that the same rows give the same ids.

rows        cells into rows: types, ranges, dates
dataset     the four files, plain or gzip; every row that cannot be used is kept with its line and reason
statements  rows into statements
catalog     assessments and modules for the catalog, enrolments for the roster
posting     batches over HTTP: waiting, reconnecting, halving what is refused
progress    what a broken import has done already
importing   all of it in order
"""
