using Ork.Kernel;

namespace OrkSim;

/// <summary>Where a kernel of the world hands its Workers' telemetry: somebody else's code, which fails at times.</summary>
internal sealed class SimSink(SimWorld world, SimNode kernel) : ITelemetrySink
{
    private const int EveryFailure = 5;

    private int _handed;

    /// <inheritdoc/>
    public void Accept(string workerId, long utcMs, ReadOnlySpan<byte> payload)
    {
        world.Emit(new SimEvent { Kind = SimEventKind.Handed, Node = kernel, Subject = workerId, Payload = payload.ToArray() });
        if (world.FaultsOn && ++_handed % EveryFailure == 0) throw new IOException("the sink is full");
    }
}
