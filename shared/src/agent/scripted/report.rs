//! A report in words, made from figures and from nothing else.

use crate::agent::sales::{Figures, Region};

/// A title, a text, and what stands out.
pub(super) struct Report {
    pub(super) title: String,
    pub(super) summary: String,
    pub(super) insights: Vec<String>,
}

impl Report {
    pub(super) fn of(figures: &Figures) -> Self {
        let Figures { period, department, currency, .. } = figures;
        let insights: Vec<String> =
            [growth(figures), best(figures), worst(figures), movers(figures)]
                .into_iter()
                .flatten()
                .collect();
        let summary = format!(
            "{department} earned {} {currency} from {} orders in {period}, {} {currency} an order. {} Figures: {}.",
            thousands(figures.revenue),
            thousands(figures.orders),
            thousands(figures.revenue_per_order),
            insights.join(" "),
            figures.source,
        );
        Self { title: format!("{department} report {period}"), summary, insights }
    }
}

fn growth(figures: &Figures) -> Option<String> {
    let on = |growth: Option<f64>, what| growth.map(|growth| format!("{} {what}", moved(growth)));
    let year = on(figures.growth_on_year_percent, "on the year before");
    let quarter = on(figures.growth_on_quarter_percent, "on the quarter before");
    let parts: Vec<String> = [year, quarter].into_iter().flatten().collect();
    (!parts.is_empty()).then(|| format!("Revenue {}.", parts.join(" and ")))
}

fn best(figures: &Figures) -> Option<String> {
    let best = figures.regions.first()?;
    Some(format!("{} leads with {}% of revenue.", best.region, best.share_percent))
}

fn worst(figures: &Figures) -> Option<String> {
    let worst = figures.regions.last()?;
    let (name, share) = (&worst.region, worst.share_percent);
    Some(match worst.growth_on_year_percent {
        Some(growth) if growth < 0.0 => {
            format!("{name} is last with {share}% and {} in a year: find out why.", moved(growth))
        }
        Some(growth) => {
            format!("{name} is last with {share}%, though it {} in a year.", moved(growth))
        }
        None => format!("{name} is last with {share}%."),
    })
}

fn movers(figures: &Figures) -> Option<String> {
    let growth = |region: &&Region| region.growth_on_year_percent;
    let fastest = figures
        .regions
        .iter()
        .filter(|region| growth(region).is_some_and(|growth| growth > 0.0))
        .max_by(|a, b| growth(a).partial_cmp(&growth(b)).unwrap_or(std::cmp::Ordering::Equal))?;
    let growth = fastest.growth_on_year_percent?;
    Some(format!("{} grows fastest: it {} in a year.", fastest.region, moved(growth)))
}

fn moved(percent: f64) -> String {
    if percent > 0.0 {
        format!("rose {percent}%")
    } else if percent < 0.0 {
        format!("fell {}%", percent.abs())
    } else {
        "stayed level".to_owned()
    }
}

fn thousands(number: u32) -> String {
    let digits = number.to_string();
    let mut text = String::new();
    for (index, digit) in digits.chars().enumerate() {
        if index > 0 && (digits.len() - index).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::agent::sales;

    #[test]
    fn a_report_says_what_its_figures_say() {
        let mut figures = sales::figures("Q1", "Sales").expect("the books have the quarter");
        let report = Report::of(&figures);
        assert_eq!(report.title, "Sales report 2026-Q1");
        assert_eq!(
            report.insights,
            [
                "Revenue rose 9.8% on the year before and fell 3.5% on the quarter before.",
                "West leads with 33% of revenue.",
                "South is last with 17.5% and fell 10.1% in a year: find out why.",
                "East grows fastest: it rose 24.1% in a year.",
            ]
        );
        assert!(report.summary.starts_with(
            "Sales earned 4,730,800 USD from 1,700 orders in 2026-Q1, 2,782 USD an order."
        ));

        figures.regions.reverse();
        figures.growth_on_year_percent = None;
        let report = Report::of(&figures);
        assert_eq!(report.insights[0], "Revenue fell 3.5% on the quarter before.");
        assert!(report.insights[1].starts_with("South leads"));
    }

    #[test]
    fn numbers_are_written_in_groups_of_three() {
        let written: Vec<String> = [0, 999, 1_000, 12_345, 1_000_000].map(thousands).into();
        assert_eq!(written, ["0", "999", "1,000", "12,345", "1,000,000"]);
    }
}
