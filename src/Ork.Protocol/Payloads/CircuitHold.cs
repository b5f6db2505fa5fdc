namespace Ork.Protocol;

/// <summary>How an operator holds a Worker's circuit, whatever its exchanges do. The numbers are stored.</summary>
public enum CircuitHold
{
    /// <summary>Not at all: failures and probes decide.</summary>
    None = 0,

    /// <summary>Open: nothing is sent to the Worker until an operator restores it.</summary>
    Open = 1,

    /// <summary>Closed: failures do not open it.</summary>
    Closed = 2,
}

/// <summary>Wire names of <see cref="CircuitHold"/>.</summary>
public static class CircuitHolds
{
    private static readonly string[] Words = ["none", "open", "closed"];

    /// <summary>The hold on the wire.</summary>
    public static string Of(CircuitHold hold) => Words[(int)hold];

    /// <summary>The hold of a wire word, or null where there is none.</summary>
    public static CircuitHold? Parse(string? word) => Array.IndexOf(Words, word) is var index and >= 0 ? (CircuitHold)index : null;
}
