//! `+ - * / %` and unary minus: whole numbers stay whole and exact, any float makes it floating point.

use super::{Computed, Failure, Function};
use crate::plan::{ArithmeticOp, Fold};
use crate::value::Value;

pub(super) const ADD: Function =
    Function { name: "add", arguments: (2, 2), call: |pair, _: Fold| compute(ArithmeticOp::Add, &pair[0], &pair[1]) };
pub(super) const SUBTRACT: Function = Function {
    name: "subtract",
    arguments: (2, 2),
    call: |pair, _: Fold| compute(ArithmeticOp::Subtract, &pair[0], &pair[1]),
};
pub(super) const MULTIPLY: Function = Function {
    name: "multiply",
    arguments: (2, 2),
    call: |pair, _: Fold| compute(ArithmeticOp::Multiply, &pair[0], &pair[1]),
};
pub(super) const DIVIDE: Function = Function {
    name: "divide",
    arguments: (2, 2),
    call: |pair, _: Fold| compute(ArithmeticOp::Divide, &pair[0], &pair[1]),
};
pub(super) const MODULO: Function = Function {
    name: "modulo",
    arguments: (2, 2),
    call: |pair, _: Fold| compute(ArithmeticOp::Modulo, &pair[0], &pair[1]),
};

const LONGS: std::ops::RangeInclusive<i128> = i64::MIN as i128..=i64::MAX as i128;
const UNSIGNED: std::ops::RangeInclusive<i128> = 0..=u64::MAX as i128;

/// `left OP right`; null if either is null or no number.
pub fn compute(op: ArithmeticOp, left: &Value<'_>, right: &Value<'_>) -> Computed<'static> {
    match (left, right) {
        (Value::Whole(left), Value::Whole(right)) => whole(op, *left, *right).map(Value::Whole),
        (Value::Whole(left), Value::Double(right)) => Ok(Value::Double(float(op, *left as f64, *right))),
        (Value::Double(left), Value::Whole(right)) => Ok(Value::Double(float(op, *left, *right as f64))),
        (Value::Double(left), Value::Double(right)) => Ok(Value::Double(float(op, *left, *right))),
        _ => Ok(Value::Null),
    }
}

/// Unary minus; null of what is no number.
pub fn negate(value: &Value<'_>) -> Computed<'static> {
    match value {
        Value::Whole(whole) if LONGS.contains(&-whole) => Ok(Value::Whole(-whole)),
        Value::Whole(_) => Err(Failure),
        Value::Double(float) => Ok(Value::Double(-float)),
        _ => Ok(Value::Null),
    }
}

fn whole(op: ArithmeticOp, left: i128, right: i128) -> Result<i128, Failure> {
    // Operands have at most 65 bits, so only a product can exceed 128.
    let exact = match op {
        ArithmeticOp::Add => left + right,
        ArithmeticOp::Subtract => left - right,
        ArithmeticOp::Multiply => left.checked_mul(right).ok_or(Failure)?,
        ArithmeticOp::Divide | ArithmeticOp::Modulo if right == 0 => return Err(Failure),
        // Java's one wrapping division: the smallest long by -1.
        ArithmeticOp::Divide if left == i128::from(i64::MIN) && right == -1 => return Ok(left),
        ArithmeticOp::Divide => left / right,
        ArithmeticOp::Modulo => left % right,
    };
    let unsigned = left > i128::from(i64::MAX) || right > i128::from(i64::MAX);
    if LONGS.contains(&exact) || unsigned && UNSIGNED.contains(&exact) { Ok(exact) } else { Err(Failure) }
}

fn float(op: ArithmeticOp, left: f64, right: f64) -> f64 {
    match op {
        ArithmeticOp::Add => left + right,
        ArithmeticOp::Subtract => left - right,
        ArithmeticOp::Multiply => left * right,
        ArithmeticOp::Divide => left / right,
        ArithmeticOp::Modulo => left % right,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn test(op: ArithmeticOp, left: i128, right: i128) -> Computed<'static> {
        compute(op, &Value::Whole(left), &Value::Whole(right))
    }

    #[test]
    fn whole_numbers() {
        assert_eq!(test(ArithmeticOp::Divide, 83, 2), Ok(Value::Whole(41)));
        assert_eq!(test(ArithmeticOp::Modulo, -7, 3), Ok(Value::Whole(-1)));
        assert_eq!(test(ArithmeticOp::Divide, 1, 0), Err(Failure));
        assert_eq!(test(ArithmeticOp::Add, i64::MAX.into(), 1), Err(Failure));
        assert_eq!(test(ArithmeticOp::Add, u64::MAX.into(), -1), Ok(Value::Whole(i128::from(u64::MAX) - 1)));
        assert_eq!(test(ArithmeticOp::Divide, i64::MIN.into(), -1), Ok(Value::Whole(i64::MIN.into())));
        assert_eq!(test(ArithmeticOp::Multiply, u64::MAX.into(), u64::MAX.into()), Err(Failure));
        assert_eq!(negate(&Value::Whole(i64::MIN.into())), Err(Failure));
    }

    #[test]
    fn floats_never_fail() {
        assert_eq!(
            compute(ArithmeticOp::Divide, &Value::Double(1.0), &Value::Whole(0)),
            Ok(Value::Double(f64::INFINITY))
        );
        assert_eq!(compute(ArithmeticOp::Add, &Value::Text("1".into()), &Value::Whole(0)), Ok(Value::Null));
    }
}
