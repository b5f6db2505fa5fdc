namespace OrkSim;

/// <summary>S15: one idempotency key of a caller, one command.</summary>
public sealed class Idempotency : IInvariant
{
    /// <inheritdoc/>
    public string Id => "S15";

    /// <inheritdoc/>
    public string Says => "One idempotency key of a caller, one command.";

    /// <inheritdoc/>
    public SimEventKind Hears => SimEventKind.CommitApplying;

    private readonly Dictionary<(string Caller, string Key), string> _commands = [];

    /// <inheritdoc/>
    public void Hear(in SimEvent happened, Facts facts)
    {
        ArgumentNullException.ThrowIfNull(facts);
        foreach (var row in happened.Batch!.NewCommands)
        {
            if (row.Spec.IdempotencyKey is not { } key) continue;
            var of = (row.Spec.Caller, key);
            if (_commands.TryGetValue(of, out var first) && !(facts.Commands.TryGetValue(first, out var known) && known.Forgotten))
            {
                facts.Violated(this, $"Key {key} of {row.Spec.Caller} has {first} and gets {row.Spec.CommandId}.");
            }

            _commands[of] = row.Spec.CommandId;
        }
    }
}
