using Ork.Protocol;

namespace OrkSim;

/// <summary>S13: what a caller reads of a command on a link never goes back. An answer may lie on a link that is cut off while another link tells more.</summary>
public sealed class MonotoneStatus : IInvariant
{
    /// <inheritdoc/>
    public string Id => "S13";

    /// <inheritdoc/>
    public string Says => "What a caller reads of a command on a link never goes back.";

    /// <inheritdoc/>
    public SimEventKind Hears => SimEventKind.FrameTaken;

    private readonly Dictionary<(int Link, string Command), int> _read = [];

    /// <inheritdoc/>
    public void Hear(in SimEvent happened, Facts facts)
    {
        ArgumentNullException.ThrowIfNull(facts);
        if (happened.Node!.Kind != NodeKind.Caller || happened.Message is not { Action: OrkAction.CommandStatusResponse, CommandId: { } id } message) return;
        if (!facts.Commands.TryGetValue(id, out var command)) return;
        var last = _read.GetValueOrDefault((happened.Connection!.Link, id));
        for (var i = last; i < command.Log.Count; i++)
        {
            if ((int)command.Log[i].To != (int)message.Status || command.Log[i].Attempt != message.Attempt) continue;
            _read[(happened.Connection!.Link, id)] = i;
            return;
        }

        facts.Violated(this, $"{happened.Node} reads that {id} is {message.Status} at attempt {message.Attempt}, after it had read {command.Log[last].To} at attempt {command.Log[last].Attempt}.");
    }
}
