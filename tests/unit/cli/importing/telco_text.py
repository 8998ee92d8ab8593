"""Lines of a telco file, made for tests."""

from pathlib import Path

HEADER = (
    "customerID,gender,SeniorCitizen,Partner,Dependents,tenure,PhoneService,MultipleLines,InternetService,"
    "OnlineSecurity,OnlineBackup,DeviceProtection,TechSupport,StreamingTV,StreamingMovies,Contract,PaperlessBilling,"
    "PaymentMethod,MonthlyCharges,TotalCharges,Churn"
)
DSL = (
    "7590-VHVEG,Female,0,Yes,No,1,No,No phone service,DSL,No,Yes,No,No,No,No,Month-to-month,Yes,Electronic check,"
    "29.85,29.85,No"
)
FIBER = (
    "9305-CDSKC,Female,1,No,No,8,Yes,Yes,Fiber optic,No,No,Yes,No,Yes,Yes,Month-to-month,Yes,Electronic check,"
    "99.65,820.5,Yes"
)
VOICE_ONLY = (
    "7469-LKBCI,Male,0,No,No,16,Yes,No,No,No internet service,No internet service,No internet service,"
    "No internet service,No internet service,No internet service,Two year,No,Credit card (automatic),18.95,326.8,No"
)
NEW = (
    "4472-LVYGI,Female,0,Yes,Yes,0,No,No phone service,DSL,Yes,No,Yes,Yes,Yes,No,Two year,Yes,"
    "Bank transfer (automatic),52.55, ,No"
)


def written(folder: Path, *lines: str, header: str = HEADER) -> Path:
    """A file of these lines."""
    path = folder / "telco.csv"
    path.write_text("\n".join((header, *lines)) + "\n", encoding="utf-8")
    return path


def changed(line: str, column: str, value: str) -> str:
    """The line with another value in one column."""
    cells = line.split(",")
    cells[HEADER.split(",").index(column)] = value
    return ",".join(cells)
