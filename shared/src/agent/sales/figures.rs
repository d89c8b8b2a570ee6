//! Quarterly figures, computed from a small data set that is made up and says so.

use serde::{Deserialize, Serialize};

/// What each answer says about where its numbers come from.
const SOURCE: &str = "sample data built into the program; the company does not exist";
const CURRENCY: &str = "USD";

/// The figures of one department in one quarter.
#[derive(Clone, Debug, Deserialize, PartialEq, Serialize)]
pub struct Figures {
    /// The quarter that was used, as `2026-Q1`.
    pub period: String,
    /// The department.
    pub department: String,
    /// The currency of each amount.
    pub currency: String,
    /// Where the numbers come from.
    pub source: String,
    /// Revenue of all regions.
    pub revenue: u32,
    /// Orders of all regions.
    pub orders: u32,
    /// Revenue for each order, rounded down.
    pub revenue_per_order: u32,
    /// Against the quarter before, where the data has it.
    pub growth_on_quarter_percent: Option<f64>,
    /// Against the same quarter a year before, where the data has it.
    pub growth_on_year_percent: Option<f64>,
    /// Each region, the strongest first.
    pub regions: Vec<Region>,
    /// The region with the most revenue.
    pub best_region: String,
    /// The region with the least revenue.
    pub worst_region: String,
}

/// One region's part.
#[derive(Clone, Debug, Deserialize, PartialEq, Serialize)]
pub struct Region {
    /// Its name.
    pub region: String,
    /// Its revenue.
    pub revenue: u32,
    /// Its orders.
    pub orders: u32,
    /// Its part of all revenue.
    pub share_percent: f64,
    /// Against the same quarter a year before, where the data has it.
    pub growth_on_year_percent: Option<f64>,
}

/// Figures that the data set does not have.
#[derive(Clone, Debug, Eq, PartialEq, thiserror::Error)]
pub enum FiguresError {
    /// No such department.
    #[error("there is no department of that name; there are {}", departments().join(", "))]
    Department,
    /// No such quarter.
    #[error("there are no figures for that quarter; ask for Q1, Q2, Q3 or Q4")]
    Quarter,
}

/// The figures of the latest quarter of that number.
pub fn figures(quarter: &str, department: &str) -> Result<Figures, FiguresError> {
    if !departments().contains(&department) {
        return Err(FiguresError::Department);
    }
    let number = match quarter {
        "Q1" => 1,
        "Q2" => 2,
        "Q3" => 3,
        "Q4" => 4,
        _ => return Err(FiguresError::Quarter),
    };
    let now = BOOKS
        .iter()
        .filter(|book| book.department == department && book.quarter == number)
        .max_by_key(|book| book.year)
        .ok_or(FiguresError::Quarter)?;
    let year_before = book(department, now.year - 1, number);
    let (year, number) = if number == 1 { (now.year - 1, 4) } else { (now.year, number - 1) };
    let quarter_before = book(department, year, number);
    let revenue = now.revenue();
    let orders = now.rows.iter().map(|row| row.orders).sum();
    let mut regions: Vec<Region> = now
        .rows
        .iter()
        .map(|row| Region {
            region: row.region.to_owned(),
            revenue: row.revenue,
            orders: row.orders,
            share_percent: tenths(f64::from(row.revenue) / f64::from(revenue) * 100.0),
            growth_on_year_percent: year_before
                .and_then(|book| book.rows.iter().find(|before| before.region == row.region))
                .map(|before| growth_percent(row.revenue, before.revenue)),
        })
        .collect();
    regions.sort_by(|a, b| b.revenue.cmp(&a.revenue).then_with(|| a.region.cmp(&b.region)));
    let name = |region: Option<&Region>| region.map(|r| r.region.clone()).unwrap_or_default();
    Ok(Figures {
        period: format!("{}-{quarter}", now.year),
        department: department.to_owned(),
        currency: CURRENCY.to_owned(),
        source: SOURCE.to_owned(),
        revenue,
        orders,
        revenue_per_order: revenue.checked_div(orders).unwrap_or(0),
        growth_on_quarter_percent: quarter_before
            .map(|book| growth_percent(revenue, book.revenue())),
        growth_on_year_percent: year_before.map(|book| growth_percent(revenue, book.revenue())),
        best_region: name(regions.first()),
        worst_region: name(regions.last()),
        regions,
    })
}

/// The departments of the data set.
pub(super) fn departments() -> Vec<&'static str> {
    let mut names: Vec<_> = BOOKS.iter().map(|book| book.department).collect();
    names.sort_unstable();
    names.dedup();
    names
}

fn book(department: &str, year: u16, quarter: u8) -> Option<&'static Book> {
    BOOKS
        .iter()
        .find(|book| (book.department, book.year, book.quarter) == (department, year, quarter))
}

fn growth_percent(now: u32, before: u32) -> f64 {
    tenths((f64::from(now) - f64::from(before)) / f64::from(before) * 100.0)
}

fn tenths(value: f64) -> f64 {
    (value * 10.0).round() / 10.0
}

/// One department's quarter.
struct Book {
    department: &'static str,
    year: u16,
    quarter: u8,
    rows: [Row; 4],
}

struct Row {
    region: &'static str,
    orders: u32,
    revenue: u32,
}

impl Book {
    fn revenue(&self) -> u32 {
        self.rows.iter().map(|row| row.revenue).sum()
    }
}

const fn quarter(department: &'static str, year: u16, quarter: u8, rows: [(u32, u32); 4]) -> Book {
    let [north, south, east, west] = rows;
    let rows = [row("North", north), row("South", south), row("East", east), row("West", west)];
    Book { department, year, quarter, rows }
}

const fn row(region: &'static str, (orders, revenue): (u32, u32)) -> Row {
    Row { region, orders, revenue }
}

/// Orders and revenue of North, South, East and West.
static BOOKS: [Book; 10] = [
    quarter("Sales", 2025, 1, [(401, 1_142_300), (356, 918_400), (298, 871_900), (512, 1_377_600)]),
    quarter("Sales", 2025, 2, [(418, 1_190_800), (349, 902_700), (311, 905_100), (530, 1_421_900)]),
    quarter("Sales", 2025, 3, [(409, 1_166_200), (338, 874_500), (334, 968_300), (541, 1_458_000)]),
    quarter(
        "Sales",
        2025,
        4,
        [(462, 1_331_700), (361, 931_800), (352, 1_027_400), (597, 1_612_500)],
    ),
    quarter(
        "Sales",
        2026,
        1,
        [(437, 1_262_900), (322, 826_100), (367, 1_081_600), (574, 1_560_200)],
    ),
    quarter(
        "Online",
        2025,
        1,
        [(2_210, 198_900), (1_874, 161_200), (1_533, 140_500), (2_698, 251_400)],
    ),
    quarter(
        "Online",
        2025,
        2,
        [(2_304, 209_700), (1_911, 166_300), (1_702, 155_800), (2_790, 262_100)],
    ),
    quarter(
        "Online",
        2025,
        3,
        [(2_377, 218_700), (1_968, 173_200), (1_845, 171_600), (2_866, 272_300)],
    ),
    quarter(
        "Online",
        2025,
        4,
        [(3_120, 293_300), (2_402, 214_900), (2_251, 211_600), (3_610, 350_200)],
    ),
    quarter(
        "Online",
        2026,
        1,
        [(2_655, 250_900), (2_071, 184_300), (2_118, 201_200), (3_015, 295_500)],
    ),
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_figures_of_a_quarter_are_computed_from_the_books() {
        let figures = figures("Q1", "Sales").expect("the books have the quarter");
        assert_eq!(figures.period, "2026-Q1");
        assert_eq!(figures.revenue, 4_730_800);
        assert_eq!(figures.orders, 1_700);
        assert_eq!(figures.revenue_per_order, 2_782);
        assert_eq!(figures.growth_on_year_percent, Some(9.8));
        assert_eq!(figures.growth_on_quarter_percent, Some(-3.5));
        assert_eq!(figures.best_region, "West");
        assert_eq!(figures.worst_region, "South");
        let shares: f64 = figures.regions.iter().map(|region| region.share_percent).sum();
        assert!((shares - 100.0).abs() < 0.3, "{shares}");
    }

    #[test]
    fn growth_is_left_out_where_the_books_do_not_reach() {
        let figures = figures("Q2", "Online").expect("the books have the quarter");
        assert_eq!(figures.period, "2025-Q2");
        assert_eq!(figures.growth_on_year_percent, None);
        assert_eq!(figures.growth_on_quarter_percent, Some(5.6));
        assert_eq!(figures.regions[0].growth_on_year_percent, None);
    }

    #[test]
    fn an_unknown_quarter_or_department_is_refused_with_what_there_is() {
        assert_eq!(figures("Q5", "Sales"), Err(FiguresError::Quarter));
        let error = figures("Q1", "Legal").expect_err("there is no such department");
        assert_eq!(
            error.to_string(),
            "there is no department of that name; there are Online, Sales"
        );
    }
}
