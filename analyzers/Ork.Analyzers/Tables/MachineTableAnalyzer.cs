using System.Collections.Immutable;
using Microsoft.CodeAnalysis;
using Microsoft.CodeAnalysis.Diagnostics;

namespace Ork.Analyzers.Tables;

/// <summary>
/// ORK0303: reads the tables of Stateless machines as they are configured. Each trigger must be handled in some state, and each state must be left by some trigger or be
/// declared terminal: by a bare <c>machine.Configure(state);</c> or <c>[OrkTerminal]</c> on the state. A table that cannot be read in full is not judged.
/// </summary>
[DiagnosticAnalyzer(LanguageNames.CSharp)]
public sealed class MachineTableAnalyzer : DiagnosticAnalyzer
{
    /// <inheritdoc/>
    public override ImmutableArray<DiagnosticDescriptor> SupportedDiagnostics { get; } = Rules.Descriptors(Rules.IncompleteMachine);

    /// <inheritdoc/>
    public override void Initialize(AnalysisContext context)
    {
        context.EnableConcurrentExecution();
        context.ConfigureGeneratedCodeAnalysis(GeneratedCodeAnalysisFlags.None);
        context.RegisterCompilationStartAction(static start =>
        {
            if (start.Compilation.GetTypeByMetadataName("Stateless.StateMachine`2") is null) return;
            var roles = new RoleReader();
            if (!roles.Concern(start.Compilation, Rules.IncompleteMachine)) return;
            var reader = new TableReader(roles);
            start.RegisterOperationAction(reader.Call, OperationKind.Invocation);
            start.RegisterCompilationEndAction(reader.End);
        });
    }
}
