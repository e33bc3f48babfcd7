"""Small files in the form of OULAD, made up."""

from __future__ import annotations

import gzip
from collections.abc import Mapping
from pathlib import Path

COURSES = """\
code_module,code_presentation,module_presentation_length
AAA,2013J,268
AAA,2014B,240
"""
ASSESSMENTS = """\
"code_module","code_presentation","id_assessment","assessment_type","date","weight"
"AAA","2013J","11","TMA","19","10"
"AAA","2013J","12","Exam","","100"
"AAA","2014B","21","CMA","?","0"
"""
ENROLMENTS = """\
code_module,code_presentation,id_student,gender,region,highest_education,imd_band,age_band,num_of_prev_attempts,\
studied_credits,disability,final_result
AAA,2013J,101,M,Wales,HE Qualification,20-Oct,55<=,0,240,N,Fail
AAA,2014B,101,M,Wales,HE Qualification,20-30%,55<=,1,60,N,Distinction
AAA,2013J,102,F,Scotland,A Level or Equivalent,,0-35,0,60,Y,Withdrawn
AAA,2013J,103,F,"Ireland, all",A Level or Equivalent,?,0-35,0,60,N,Pass
"""
SUBMISSIONS = """\
id_assessment,id_student,date_submitted,is_banked,score
11,101,18,0,78
11,102,-3,1,40
11,103,20,0,
12,101,240,0,100
21,101,19,0,66.5
"""
TEXTS = {
    "courses": COURSES,
    "assessments": ASSESSMENTS,
    "studentInfo": ENROLMENTS,
    "studentAssessment": SUBMISSIONS,
}


def write(folder: Path, changes: Mapping[str, str] | None = None, *, zipped: bool = False) -> Path:
    """The four files; `changes` (file → text) takes the place of a file."""
    folder.mkdir(parents=True, exist_ok=True)
    for name, text in {**TEXTS, **(changes or {})}.items():
        if zipped:
            (folder / f"{name}.csv.gz").write_bytes(gzip.compress(text.encode()))
        else:
            (folder / f"{name}.csv").write_text(text)
    return folder
