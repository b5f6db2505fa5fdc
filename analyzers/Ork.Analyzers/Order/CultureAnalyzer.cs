using System.Collections.Immutable;
using Microsoft.CodeAnalysis;
using Microsoft.CodeAnalysis.Diagnostics;
using Microsoft.CodeAnalysis.Operations;
using Ork.Analyzers.Apis;

namespace Ork.Analyzers.Order;

/// <summary>ORK0005, culture: text, order and parsing that follow the machine's language.</summary>
[DiagnosticAnalyzer(LanguageNames.CSharp)]
public sealed class CultureAnalyzer : DiagnosticAnalyzer
{
    private const string Invariant = "say CultureInfo.InvariantCulture";
    private const string Ordinal = "say StringComparer.Ordinal or StringComparison.Ordinal";

    private static readonly ImmutableHashSet<string> Sorting = ImmutableHashSet.Create(
        "OrderBy", "OrderByDescending", "ThenBy", "ThenByDescending", "Order", "OrderDescending", "Max", "Min", "MaxBy", "MinBy");

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
            var check = new Check(roles);
            start.RegisterOperationAction(check.Call, OperationKind.Invocation);
            start.RegisterOperationAction(check.Interpolation, OperationKind.Interpolation);
            start.RegisterOperationAction(check.Append, OperationKind.InterpolatedStringAppendFormatted);
            start.RegisterOperationAction(check.Concatenation, OperationKind.Binary);
            start.RegisterOperationAction(check.Creation, OperationKind.ObjectCreation, OperationKind.CollectionExpression);
            start.RegisterOperationAction(check.Ambient, OperationKind.PropertyReference, OperationKind.FieldReference);
        });
    }

    private sealed class Check(RoleReader roles)
    {
        internal void Call(OperationAnalysisContext context)
        {
            var call = (IInvocationOperation)context.Operation;
            if (HintFor(call) is { } hint) context.Find(roles, Rules.Order, call, $"{call.TargetMethod.ContainingType.Name}.{call.TargetMethod.Name} by the machine's culture", hint);
        }

        internal void Interpolation(OperationAnalysisContext context)
        {
            var part = (IInterpolationOperation)context.Operation;
            if (!FollowsCulture(part.Expression.Type, FormatOf(part.FormatString)) || part.Parent is not IInterpolatedStringOperation text) return;
            if (text.Parent is IConversionOperation { Type.Name: "FormattableString" or "IFormattable" }) return;
            Find(context, part.Expression);
        }

        /// <summary>Text that a handler builds: where the call also takes a culture, that is the one.</summary>
        internal void Append(OperationAnalysisContext context)
        {
            var append = (IInterpolatedStringAppendOperation)context.Operation;
            if (append.AppendCall is not IInvocationOperation { Arguments: [var value, ..] arguments }) return;
            var format = arguments.FirstOrDefault(argument => argument.Parameter?.Name == "format")?.Value.ConstantValue.Value as string;
            if (!FollowsCulture(Uses.Unwrap(value.Value).Type, format)) return;
            for (IOperation? at = append; at is not null; at = at.Parent)
            {
                if (at is not IArgumentOperation { Parent: { } call }) continue;
                if (Uses.Arguments(call).Any(argument => IsProvider(argument.Parameter?.Type))) return;
                break;
            }

            Find(context, value.Value);
        }

        internal void Concatenation(OperationAnalysisContext context)
        {
            var binary = (IBinaryOperation)context.Operation;
            if (binary.OperatorKind != BinaryOperatorKind.Add || binary.Type?.SpecialType != SpecialType.System_String) return;
            foreach (var operand in new[] { binary.LeftOperand, binary.RightOperand })
            {
                if (operand.ConstantValue.HasValue) continue;
                if (operand is IConversionOperation { IsImplicit: true, Operand: var value } && FollowsCulture(value.Type, null)) Find(context, value);
            }
        }

        /// <summary>Sorted collections of text sort by the machine's language unless told otherwise.</summary>
        internal void Creation(OperationAnalysisContext context)
        {
            var creation = context.Operation;
            if (creation.Type is not INamedTypeSymbol { Name: "SortedDictionary" or "SortedSet" or "SortedList" or "PriorityQueue",
                TypeArguments: [var first, ..] arguments } type) return;
            var key = type.Name == "PriorityQueue" ? arguments[arguments.Length - 1] : first;
            if (!IsText(key) || Uses.Arguments(creation).Any(argument => Uses.IsNamed(argument.Parameter?.Type, "IComparer") && !IsNull(argument.Value))) return;
            context.Find(roles, Rules.Order, creation, $"The order of a {type.Name} of text", Ordinal);
        }

        internal void Ambient(OperationAnalysisContext context)
        {
            var member = context.Operation is IPropertyReferenceOperation property ? (ISymbol)property.Property : ((IFieldReferenceOperation)context.Operation).Field;
            var hint = (member.ContainingType?.Name, member.Name) switch
            {
                ("CultureInfo", "CurrentCulture" or "CurrentUICulture" or "InstalledUICulture") => Invariant,
                ("NumberFormatInfo" or "DateTimeFormatInfo", "CurrentInfo") => Invariant,
                ("StringComparer" or "StringComparison", "CurrentCulture" or "CurrentCultureIgnoreCase") => Ordinal,
                ("Comparer", "Default") when member.ContainingType is { TypeArguments: [var compared] } && IsText(compared) => Ordinal,
                _ => null,
            };
            if (hint is not null && member.ContainingNamespace.ToDisplayString().StartsWith("System", StringComparison.Ordinal))
                context.Find(roles, Rules.Order, context.Operation, $"{member.ContainingType!.Name}.{member.Name}", hint);
        }

        private void Find(OperationAnalysisContext context, IOperation at) => context.Find(roles, Rules.Order, at, $"{at.Syntax} as text by the machine's culture", Invariant);

        private static string? HintFor(IInvocationOperation call)
        {
            var method = call.TargetMethod;
            if (method.Parameters.Any(parameter => IsProvider(parameter.Type)))
                return call.Arguments.Any(argument => IsProvider(argument.Parameter?.Type) && argument.ArgumentKind == ArgumentKind.DefaultValue)
                    && IsSensitiveParse(method) ? Invariant : null;
            if (method.ContainingType.SpecialType == SpecialType.System_String) return HintForText(call);
            if (method.Name == "ToString") return call.Instance is { } instance
                && FollowsCulture(instance.Type, FormatOf(call.Arguments.FirstOrDefault()?.Value)) ? Invariant : null;
            if (method.Name is "ToShortDateString" or "ToLongDateString" or "ToShortTimeString" or "ToLongTimeString"
                && FollowsCulture(method.ContainingType, null)) return Invariant;
            if (IsSensitiveParse(method) || IsSensitiveConversion(method)) return Invariant;
            return HintForSorting(call);
        }

        private static bool IsSensitiveParse(IMethodSymbol method) => method is { Name: "Parse" or "TryParse", IsStatic: true }
            && FollowsCulture(method.ContainingType, null)
            && method.Parameters[0].Type is { SpecialType: SpecialType.System_String } or { Name: "ReadOnlySpan" };

        /// <summary>Conversions and appends that make text of a number or a date, or one of text, by the machine's culture.</summary>
        private static bool IsSensitiveConversion(IMethodSymbol method) => method.ContainingType.Name switch
        {
            "Convert" when method.ContainingNamespace.Name == "System" && method.Parameters.Length > 0 =>
                (method.Name == "ToString" && FollowsCulture(method.Parameters[0].Type, null))
                    || (FollowsCulture(method.ReturnType, null) && method.Parameters[0].Type.SpecialType == SpecialType.System_String),
            "StringBuilder" => method.Name is "Append" or "Insert" && method.Parameters.Any(parameter => FollowsCulture(parameter.Type, null)),
            _ => false,
        };

        private static string? HintForText(IInvocationOperation call)
        {
            var method = call.TargetMethod;
            var says = method.Parameters.Any(parameter => parameter.Type.Name is "StringComparison" or "CultureInfo" or "CompareOptions");
            return method.Name switch
            {
                "ToUpper" or "ToLower" when method.Parameters.Length == 0 => "use ToUpperInvariant or ToLowerInvariant",
                "Compare" when !says => Ordinal,
                "CompareTo" => Ordinal,
                "StartsWith" or "EndsWith" or "IndexOf" or "LastIndexOf" when !says && method.Parameters[0].Type.SpecialType == SpecialType.System_String => Ordinal,
                "Join" or "Concat" when method.TypeArguments.Any(argument => FollowsCulture(argument, null)) => Invariant,
                "Format" or "Concat" or "Join" => call.Arguments.Any(argument => argument.Value.DescendantsAndSelf().Any(value =>
                    value is IConversionOperation { IsImplicit: true, Type.SpecialType: SpecialType.System_Object, Operand: var boxed }
                        && FollowsCulture(boxed.Type, null))) ? Invariant : null,
                _ => null,
            };
        }

        private static string? HintForSorting(IInvocationOperation call)
        {
            var method = call.TargetMethod;
            if (call.Arguments.Any(argument => argument.Parameter?.Type.Name is "IComparer" or "Comparison" && !IsNull(argument.Value))) return null;
            if (method.ContainingType is { Name: "Enumerable", ContainingNamespace.Name: "Linq" } && Sorting.Contains(method.Name))
            {
                var key = method.Name is "Max" or "Min" ? method.ReturnType : method.TypeArguments.LastOrDefault();
                return key is not null && IsText(key) ? Ordinal : null;
            }

            var sorts = method is { Name: "Sort", ContainingType.Name: "Array" or "List" } or { Name: "BinarySearch", ContainingType.Name: "Array" or "List" };
            if (!sorts) return null;
            var element = method.ContainingType is { Name: "List", TypeArguments: [var item] } ? item : method.TypeArguments.FirstOrDefault();
            return element is not null && IsText(element) ? Ordinal : null;
        }

        private static bool IsText(ITypeSymbol type) => type.SpecialType == SpecialType.System_String
            || (type is INamedTypeSymbol { IsTupleType: true } tuple && tuple.TupleElements.Any(element => IsText(element.Type)));

        private static bool IsProvider(ITypeSymbol? type) => type?.Name is "IFormatProvider" or "CultureInfo" or "NumberFormatInfo";

        private static bool IsNull(IOperation value) => value.ConstantValue is { HasValue: true, Value: null };

        private static string? FormatOf(IOperation? format) => format is null
            ? null : format.ConstantValue.Value as string ?? (format.ConstantValue.HasValue ? null : "?");

        /// <summary>Whether a type's text differs between cultures. Whole numbers do so only where the format groups or has decimals, dates not in the round-trip formats.</summary>
        private static bool FollowsCulture(ITypeSymbol? type, string? format)
        {
            if (type is INamedTypeSymbol { OriginalDefinition.SpecialType: SpecialType.System_Nullable_T, TypeArguments: [var inner] }) type = inner;
            if (type is null || type.TypeKind == TypeKind.Enum) return false;
            switch (type.SpecialType)
            {
                case SpecialType.System_Double or SpecialType.System_Single or SpecialType.System_Decimal:
                    return true;
                case >= SpecialType.System_SByte and <= SpecialType.System_UInt64:
                    return format is { Length: > 0 } && "NnCcPpFfEe".IndexOf(format[0]) >= 0;
            }

            if (type.ContainingNamespace?.Name != "System") return false;
            return type.Name switch
            {
                "DateTime" or "DateTimeOffset" or "DateOnly" or "TimeOnly" => format is not ("O" or "o" or "R" or "r" or "s" or "u"),
                "TimeSpan" => format is "g" or "G",
                "Half" => true,
                _ => false,
            };
        }
    }
}
