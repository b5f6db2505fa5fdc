using System.Collections.Immutable;
using Microsoft.CodeAnalysis;
using Microsoft.CodeAnalysis.Diagnostics;
using Microsoft.CodeAnalysis.Operations;
using Ork.Analyzers.Apis;

namespace Ork.Analyzers.Order;

/// <summary>ORK0005, hash codes: each process salts them anew, so they are good for a table in memory and for nothing that is kept, compared or sorted by.</summary>
[DiagnosticAnalyzer(LanguageNames.CSharp)]
public sealed class HashCodeAnalyzer : DiagnosticAnalyzer
{
    /// <inheritdoc/>
    public override ImmutableArray<DiagnosticDescriptor> SupportedDiagnostics { get; } = Rules.Descriptors(Rules.Order);

    /// <inheritdoc/>
    public override void Initialize(AnalysisContext context)
    {
        context.EnableConcurrentExecution();
        context.ConfigureGeneratedCodeAnalysis(GeneratedCodeAnalysisFlags.None);
        context.RegisterCompilationStartAction(static start =>
        {
            var roles = new RoleReader();
            if (!roles.Concern(start.Compilation, Rules.Order)) return;
            start.RegisterOperationAction(at => Call(at, roles), OperationKind.Invocation);
        });
    }

    private static void Call(OperationAnalysisContext context, RoleReader roles)
    {
        var call = (IInvocationOperation)context.Operation;
        var method = call.TargetMethod;
        if (!IsSalted(call) || IsPartOfHashing(context.ContainingSymbol) || IsCompared(call)) return;
        context.Find(roles, Rules.Order, call, $"{method.ContainingType.Name}.{method.Name}", "hash the bytes with a function of your own, FNV-1a for one");
    }

    private static bool IsSalted(IInvocationOperation call) => call.TargetMethod switch
    {
        { Name: "GetHashCode", Parameters.Length: 0 } => call.Instance is { } instance && !IsPlain(Uses.Unwrap(instance).Type),
        { Name: "GetHashCode", Parameters.Length: 1, ContainingType.Name: "IEqualityComparer" or "EqualityComparer" or "StringComparer" or "RuntimeHelpers" or "CultureInfo" } =>
            !IsPlain(Uses.Unwrap(call.Arguments[0].Value).Type),
        { Name: "GetHashCode", IsStatic: true, ContainingType.SpecialType: SpecialType.System_String } => true,
        { Name: "Combine" or "ToHashCode", ContainingType: { Name: "HashCode", ContainingNamespace.Name: "System" } } => true,
        _ => false,
    };

    /// <summary>Values whose hash code is the value.</summary>
    private static bool IsPlain(ITypeSymbol? type) => type is { TypeKind: TypeKind.Enum }
        or { SpecialType: >= SpecialType.System_Boolean and <= SpecialType.System_Double }
        or { Name: "Guid" or "TimeSpan" or "DateTime" or "DateTimeOffset", ContainingNamespace.Name: "System" };

    private static bool IsPartOfHashing(ISymbol? symbol)
    {
        for (var at = symbol; at is IMethodSymbol method; at = at.ContainingSymbol)
        {
            if (method.Name == "GetHashCode" || method.Name.EndsWith(".GetHashCode", StringComparison.Ordinal)) return true;
        }

        return false;
    }

    /// <summary>Two hash codes of one run may be held against each other.</summary>
    private static bool IsCompared(IInvocationOperation call) =>
        call.Parent is IBinaryOperation { OperatorKind: BinaryOperatorKind.Equals or BinaryOperatorKind.NotEquals };
}
