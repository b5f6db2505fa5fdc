using System.Collections.Concurrent;
using System.Collections.Immutable;
using Microsoft.CodeAnalysis;
using Microsoft.CodeAnalysis.Diagnostics;
using Microsoft.CodeAnalysis.Operations;

namespace Ork.Analyzers.Kernel;

/// <summary>
/// ORK0201: on every path of a turn, what a machine's transition leads to waits for the record of that transition. Reported are paths on which an effect of the lane
/// that waits for the commit follows a transition nobody recorded, and effects of the lane that does not wait, after a transition of the same module.
/// </summary>
[DiagnosticAnalyzer(LanguageNames.CSharp)]
public sealed class WriteAheadAnalyzer : DiagnosticAnalyzer
{
    /// <inheritdoc/>
    public override ImmutableArray<DiagnosticDescriptor> SupportedDiagnostics { get; } = Rules.Descriptors(Rules.UnrecordedEffect);

    /// <inheritdoc/>
    public override void Initialize(AnalysisContext context)
    {
        context.EnableConcurrentExecution();
        context.ConfigureGeneratedCodeAnalysis(GeneratedCodeAnalysisFlags.None);
        context.RegisterCompilationStartAction(static start =>
        {
            // Without turns there is nothing to release.
            if (start.Compilation.GetTypeByMetadataName("Ork.Kernel.Turn") is null) return;
            var bodies = new ConcurrentBag<(ISymbol Member, IOperation Body)>();
            var roles = new RoleReader();
            if (!roles.Concern(start.Compilation, Rules.UnrecordedEffect)) return;
            start.RegisterOperationBlockAction(block =>
            {
                if ((Rules.UnrecordedEffect.Roles & roles.Of(block.OwningSymbol)) == 0) return;
                foreach (var body in block.OperationBlocks)
                {
                    if (body is IBlockOperation { Parent: IMethodBodyOperation or IConstructorBodyOperation } inner) bodies.Add((block.OwningSymbol, inner.Parent!));
                }
            });
            start.RegisterCompilationEndAction(end =>
            {
                foreach (var found in new TurnPaths(bodies, end.CancellationToken).Find()) end.ReportDiagnostic(found);
            });
        });
    }
}

/// <summary>What may have happened on a path through a turn.</summary>
[Flags]
internal enum Happened
{
    Nothing = 0,

    /// <summary>A machine whose state is stored made a transition.</summary>
    Fired = 1,

    /// <summary>Something was recorded.</summary>
    Recorded = 2,

    /// <summary>An effect waits for the commit.</summary>
    Effect = 4,

    /// <summary>The transition was made by the class at hand.</summary>
    FiredHere = 8,
}

/// <summary>The sets of things that may have happened together, one bit for each of the sixteen.</summary>
internal readonly record struct Paths(ushort Bits)
{
    internal static readonly Paths None = default;
    internal static readonly Paths Start = new(1);

    internal bool Any(Func<Happened, bool> which)
    {
        for (var i = 0; i < 16; i++)
        {
            if ((Bits & (1 << i)) != 0 && which((Happened)i)) return true;
        }

        return false;
    }

    internal bool Violate => Any(static path => (path & (Happened.Fired | Happened.Recorded | Happened.Effect)) == (Happened.Fired | Happened.Effect));

    internal Paths Or(Paths other) => new((ushort)(Bits | other.Bits));

    /// <summary>These paths, and then those.</summary>
    internal Paths Then(Paths next)
    {
        var bits = 0;
        for (var i = 0; i < 16; i++)
        {
            if ((Bits & (1 << i)) == 0) continue;
            for (var j = 0; j < 16; j++)
            {
                if ((next.Bits & (1 << j)) != 0) bits |= 1 << (i | j);
            }
        }

        return new Paths((ushort)bits);
    }

    internal Paths Then(Happened next) => Then(new Paths((ushort)(1 << (int)next)));

    /// <summary>As another class sees it.</summary>
    internal Paths Elsewhere()
    {
        var bits = 0;
        for (var i = 0; i < 16; i++)
        {
            if ((Bits & (1 << i)) != 0) bits |= 1 << (i & ~(int)Happened.FiredHere);
        }

        return new Paths((ushort)bits);
    }
}
